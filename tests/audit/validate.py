"""Audit records of the tool, validated: OCSF by the schema that its project publishes, the JSON forms by
those that `parapet schema` prints.

    python3 tests/audit/validate.py TOOL
"""

import itertools
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

FORMATS = ["JSON", "JsonLegacy", "Coraza", "OCSF"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"]
SECRETS = [b"sesame-open-99", b"cookie-of-mine"]

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecAuditEngine On
SecAuditLogParts ABCEFHIJKZ
SecAuditLogFormat {format}
SecSensorId edge
SecServerSignature server
SecComponentSignature "rules/1"
SecAction "id:1,phase:1,pass,nolog,sanitiseArg:pin"
SecRule ARGS "@contains stop" "id:2,phase:2,{action},status:418,severity:CRITICAL,\\
    msg:'Stop %{{MATCHED_VAR}}',logdata:'%{{REQUEST_HEADERS}}',tag:'one',tag:'two',rev:'1',ver:'2',maturity:'3',accuracy:'4'"
SecRule REQUEST_HEADERS|ARGS "@rx ." "id:3,phase:2,pass,log,msg:'%{{MATCHED_VAR}}'"
"""


def requests():
    """Ordinary requests, and some of random bytes."""
    drawn = random.Random(7)
    queries = [b"", b"?q=shoes", b"?q=stop&password=sesame-open-99&pin=1234", b"?x=%ff%00%5cx"]
    for method, query in itertools.product(METHODS, queries):
        noise = bytes(byte for byte in drawn.randbytes(60) if byte not in b"\r\n")
        body = b"a=1&password=sesame-open-99&" + drawn.randbytes(20)
        yield b"".join(
            [
                method.encode() + b" /path/file" + query + b" HTTP/1.1\r\n",
                b"Host: example.com:8080\r\nUser-Agent: test\r\nX-Noise: " + noise + b"\r\n",
                b"Cookie: a=cookie-of-mine; b=cookie-of-mine\r\nCookie: c=d\r\n",
                b"Referer: https://example.com/?token=sesame-open-99\r\nX-Request-Id: 1-2\r\n",
                b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
                b"Content-Type: application/x-www-form-urlencoded\r\n",
                b"Content-Length: %d\r\n\r\n" % len(body) + body,
            ]
        )


def schema(tool, form):
    """The schema of a format."""
    if form == "OCSF":
        schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
        return schemas.get_class_schema(class_name="http_activity", profiles=["security_control"])
    command = [tool, "schema", form.lower()]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main():
    tool = sys.argv[1]
    passed, faults = 0, []
    with tempfile.TemporaryDirectory() as folder:
        rules, request, response = (Path(folder, name) for name in ("rules.conf", "request", "response"))
        response.write_bytes(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=cookie-of-mine; Path=/\r\n"
            b"Content-Length: 5\r\n\r\nhello"
        )
        for form, action in itertools.product(FORMATS, ["pass", "deny", "drop"]):
            rules.write_text(RULES.format(format=form, action=action))
            validator = Draft202012Validator(schema(tool, form))
            for number, text in enumerate(requests()):
                request.write_bytes(text)
                command = [tool, "run", "--audit", "--config", rules, "--response", response, request]
                record = subprocess.run(command, check=True, capture_output=True).stdout
                errors = [
                    f"{list(error.absolute_path)}: {error.message[:200]}"
                    for error in validator.iter_errors(json.loads(record))
                ]
                errors += [f"shows {secret}" for secret in SECRETS if secret in record]
                errors += [] if record.count(b"\n") == 1 else ["is not one line"]
                passed += not errors
                faults += [f"{form} {action} request {number}: {error}" for error in errors]
    for fault in faults[:50]:
        print(fault)
    print(f"{passed} records are valid, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
