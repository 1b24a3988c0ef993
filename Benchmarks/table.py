"""Figures of repeated rounds as Markdown: medians, with the least and the greatest."""

import statistics


def number(value):
    """Three digits that mean something, or all of those before the point."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f}"


def spread(values):
    if not values:
        return ""
    return f"{number(statistics.median(values))} ({number(min(values))}–{number(max(values))})"


def spread_each(rows):
    """Several figures that belong together: first their medians, then their ranges."""
    if not rows:
        return ""
    columns = list(zip(*rows))
    return (" / ".join(number(statistics.median(column)) for column in columns) + " ("
            + " / ".join(f"{number(min(column))}–{number(max(column))}" for column in columns) + ")")


def print_table(title, header, rows):
    print(f"\n{title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
