typedef int ct_placeholder;
