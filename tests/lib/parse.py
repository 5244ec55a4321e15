# SPDX-License-Identifier: ISC
"""Does Python understand these files?  python3 parse.py FILE..."""

import ast
import sys

for name in sys.argv[1:]:
    with open(name, 'rb') as f:
        ast.parse(f.read(), name)
