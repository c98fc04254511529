"""``python -m stream_rec``: the command line, where ``stream-rec`` is not on the path."""

from stream_rec.cli.main import main

if __name__ == "__main__":
    main()
