# SPDX-License-Identifier: BSD-2-Clause
"""The case files: from text to steps, and from escaped text to bytes."""

import re

PIECE = 97  # bytes of a long repeat that byte mode sends at once
ENDS = ("open", "closed", "either", "file", "no-file")
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|\{((?:[^{}\\]|\\.)*)\*(\d+)\}|\{(\w+)\}|(.))")
PLAIN = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


def encode(text, names):
    """The bytes of `text`, as the list of pieces in which byte mode sends them."""
    pieces, at = [], 0

    def add(data, long=False):
        step = PIECE if long and len(data) > 256 else 1
        pieces.extend(data[i:i + step] for i in range(0, len(data), step))

    for m in ESCAPE.finditer(text):
        add(text[at:m.start()].encode())
        at = m.end()
        hex_, repeated, times, name, plain = m.groups()
        if hex_:
            add(bytes([int(hex_, 16)]))
        elif times:
            add(b"".join(encode(repeated, names)) * int(times), long=True)
        elif name:
            add(names[name].encode())
        else:
            add(PLAIN[plain].encode())
    add(text[at:].encode())
    return pieces


def insert_names(regex, names):
    """A regex with \\{name} replaced; other braces stay as they are."""
    return re.sub(r"\\\{([a-z]\w*)\}", lambda m: re.escape(names[m[1]]), regex)


class Response:
    """What `< 200 ...` expects, with the checks of the lines that follow it."""

    def __init__(self, words):
        self.statuses, self.checks = words[0].split("|"), []
        self.to_head = self.optional = False
        self.count, rest = 1, " ".join(words[1:])
        for flag in filter(None, re.split(r"\s*,\s*", rest)):
            if flag == "to HEAD":
                self.to_head = True
            elif flag == "or nothing":
                self.optional = True
            elif re.fullmatch(r"\*\d+", flag):
                self.count = int(flag[1:])
            else:
                raise ValueError(f"unknown flag {flag!r}")

    def takes(self, status):
        return any(re.fullmatch(s.replace("x", "[0-9]"), str(status)) for s in self.statuses)


class Case:
    """A .wire file as a list of (line number, kind of step, argument)."""

    CHECKS = {"field", "field-re", "field-not", "no-field", "allow", "body", "body-re",
              "body-not-re", "body-len", "body-file", "body-parts", "body-gunzip", "capture"}
    STEPS = {"interim", "maybe-interim", "silent", "closed", "open", "either", "file",
             "no-file"}

    def __init__(self, path):
        self.name, self.steps = path.stem, []
        self.timeout, self.slow, self.modes = 60.0, False, {"whole", "bytes"}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                self.parse_line(number, line)
            except (ValueError, IndexError, re.error) as e:
                raise ValueError(f"{path.name}:{number}: {e}") from None
        if not self.steps or self.steps[-1][1] not in ENDS:
            raise ValueError(f"{path.name}: does not end in open, closed or either")

    def parse_line(self, number, line):
        if line.startswith(">"):
            self.parse_send(number, line[2:])
        elif line.startswith("<"):
            self.parse_expectation(number, line[1:].strip())
        elif line.strip() and not line.startswith("#"):
            word, _, rest = line.strip().partition(" ")
            if word == "timeout":
                self.timeout = float(rest)
            elif word == "mode":
                self.modes = {rest}
            elif word in ("half-close", "reconnect"):
                self.steps.append((number, word, None))
            elif word == "pause":
                self.slow = True
                self.steps.append((number, word, float(rest)))
            else:
                raise ValueError(f"unknown directive {word!r}")

    def parse_send(self, number, text):
        if not self.steps or self.steps[-1][1] != "send":
            self.steps.append((number, "send", []))
        self.steps[-1][2].append(text[:-2] if text.endswith(r"\c") else text + r"\r\n")

    def parse_expectation(self, number, text):
        word, _, rest = text.partition(" ")
        if re.fullmatch(r"[0-9x|]+", word):
            response = Response(text.split())
            self.slow |= response.takes(408)
            self.steps.append((number, "response", response))
        elif word in self.CHECKS:
            if word.endswith("-re"):
                re.compile(rest)
            if self.steps[-1][1] != "response":
                raise ValueError(f"{word} without a response before it")
            self.steps[-1][2].checks.append((number, word, rest))
        elif word in self.STEPS:
            self.slow |= word == "silent" or (word == "closed" and bool(rest))
            self.steps.append((number, word, rest))
        else:
            raise ValueError(f"unknown expectation {word!r}")


def show(data, limit=500):
    text = "".join(chr(c) if 32 <= c < 127 and c not in b'\\"' else
                   {10: r"\n", 13: r"\r", 34: r"\"", 92: r"\\"}.get(c, f"\\x{c:02x}")
                   for c in data[:limit])
    return text + (f"... ({len(data)} bytes)" if len(data) > limit else "")
