import sys
from pathlib import Path

# The checks inside the machine share `tools`, the tests outside `machine`.
sys.path.insert(0, str(Path(__file__).parent))
