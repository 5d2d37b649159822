"""First program in the sandbox: enters the namespaces and becomes the zygote.

Started as ``python -S -s -P launch.py DESCRIPTOR``; the descriptor is the control socket, whose
first message is the configuration.
"""

import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))


def main():
    from pg_inside import control, isolate, serve

    line = socket.socket(fileno=int(sys.argv[1]))
    line.set_inheritable(False)
    config, _ = control.receive(line)
    if config is None:
        os._exit(0)
    sys.path.extend(config["paths"])
    try:
        if config["isolate"]:
            isolate.enter(config)
        else:
            isolate.follow_parent()
        serve.serve(line, config)
    except BaseException as error:
        import traceback

        traceback.print_exc()
        control.send(line, {"failed": f"{type(error).__name__}: {error}"})
        os._exit(1)


if __name__ == "__main__":
    main()
