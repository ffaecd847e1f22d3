"""Start polyplive from its source tree: `python main.py --help`."""

from app.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
