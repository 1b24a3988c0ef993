"""How all plots look, and how they are written so that the same figures make the same file."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.hashsalt": "carbontube", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#e2e8f0", "grid.linewidth": 0.8, "axes.axisbelow": True, "axes.edgecolor": "#718096",
    "axes.labelcolor": "#2d3748", "xtick.color": "#4a5568", "ytick.color": "#4a5568", "legend.frameon": False,
    "figure.facecolor": "white", "lines.linewidth": 1.8, "lines.markersize": 5})

OWN, PEER, LIMIT = "#2b6cb0", "#a0aec0", "#e2b04a"
STORES = {"memory": "#2b6cb0", "sqlite": "#2f855a", "redis": "#c53030"}


def save(figure, path):
    figure.savefig(path, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
