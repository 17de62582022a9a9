"""The command line: `python -m mnist_nn` or `mnist-nn`, with the commands train, evaluate, predict and score."""

import sys

from ._internal.interruption import exit_at_once


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after the program's name; None takes them from the command line.

    Returns:
        The exit code: 0 for success, 2 for invalid input (with one sentence on stderr), 130 after Ctrl-C.
    """
    try:
        with exit_at_once():
            from .commands import parser
        options = parser().parse_args(arguments)
        options.command(options)
    except (ValueError, OSError) as error:
        print(f"mnist_nn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interruption:
        print(f"mnist_nn: interrupted{interruption}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
