"""Which names a cell of code defines and which it needs, found without running it."""

import builtins
import symtable

# What IPython adds to the built-in names.
ALWAYS = set(dir(builtins)) | {"__name__", "display", "get_ipython"}


def defined_and_used(source):
    """(global names that the code defines, global names that it reads), built-in ones left out."""
    top = symtable.symtable(source, "cell", "exec")
    defined, used = set(), set()
    for table in _tables(top):
        for symbol in table.get_symbols():
            is_global = table is top or symbol.is_global()
            if is_global and (symbol.is_assigned() or symbol.is_imported()):
                defined.add(symbol.get_name())
            if is_global and symbol.is_referenced():
                used.add(symbol.get_name())
    return defined, used - ALWAYS


def _tables(table):
    yield table
    for child in table.get_children():
        yield from _tables(child)
