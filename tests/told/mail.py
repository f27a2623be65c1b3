"""A mail server (aiosmtpd) that writes down what it takes over, and fails as it is told.

mail.py PORT FOLDER [CERTIFICATE KEY]

FOLDER/taken   a line of JSON for each message taken over, in their order
FOLDER/cut     how many more connections break in DATA before anything is taken
FOLDER/lost    how many more answers are lost after a message was taken
"""

import email
import email.policy
import json
import os
import ssl
import sys
import threading

from aiosmtpd.controller import Controller


def countdown(path):
    """Whether there is one more."""
    if not os.path.exists(path):
        return False
    with open(path) as file:
        left = int(file.read())
    if left > 0:
        with open(path, "w") as file:
            file.write(str(left - 1))
    return left > 0


class Mailbox:
    def __init__(self, folder):
        self.folder = folder

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("full@"):
            return "452 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if countdown(os.path.join(self.folder, "cut")):
            server.transport.abort()
            return "421 cut"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "text": message.get_content(),
            "tls": session.ssl is not None,
        }
        with open(os.path.join(self.folder, "taken"), "a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if countdown(os.path.join(self.folder, "lost")):
            server.transport.abort()
            return "421 lost"
        return "250 OK"


def main():
    port, folder = int(sys.argv[1]), sys.argv[2]
    more = {}
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
        more = {"tls_context": context, "require_starttls": True}
    Controller(Mailbox(folder), hostname="127.0.0.1", port=port, **more).start()
    threading.Event().wait()


main()
