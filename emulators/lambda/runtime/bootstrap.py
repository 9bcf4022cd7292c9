"""Runs a Python function under Cistern: asks the Runtime API for events, calls the handler, posts what
it returns. Only the standard library is used; behaviour follows AWS's documented Python runtime."""

import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

API = "/2018-06-01/runtime"
ANSWER_MAX = 6 * 1024 * 1024 + 100


class Api:
    """The connection to the Runtime API, kept open between events."""

    def __init__(self, address):
        self.address = address
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address)
            self.connection.connect()
        self.connection.request(method, API + path, body, headers or {})
        response = self.connection.getresponse()
        data = response.read()
        if response.will_close:
            self.connection.close()
            self.connection = None
        return response.status, response.headers, data

    def post(self, path, body, content_type="application/json", headers=None):
        headers = dict(headers or {})
        headers["Content-Type"] = content_type
        return self.request("POST", path, body, headers)[0]


# --- what goes out --------------------------------------------------------------------------------


class Encoder(json.JSONEncoder):
    """Decimals are numbers."""

    def default(self, o):
        if isinstance(o, decimal.Decimal):
            return float(o)
        return super().default(o)


def plain_unicode():
    """From Python 3.12 on characters are sent as they are."""
    version = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("python3.")[2]
    return version.isdigit() and int(version) >= 12


def encode(result):
    """-> bytes, content type"""
    if isinstance(result, bytes):
        return result, "application/unknown"
    text = json.dumps(result, cls=Encoder, ensure_ascii=not plain_unicode())
    return text.encode("utf-8", "surrogatepass"), "application/json"


def error_document(message, kind, trace=(), request_id=None):
    document = {"errorMessage": message, "errorType": kind}
    if request_id is not None:
        document["requestId"] = request_id
    document["stackTrace"] = list(trace)
    return document


def print_error(document):
    lines = ["[ERROR] " + ": ".join(filter(None, (document["errorType"], document["errorMessage"])))]
    if document["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        for entry in document["stackTrace"]:
            lines.extend(line.rstrip("\n") for line in entry.split("\n") if line.strip())
    sys.stdout.write("\r".join(lines) + "\n")
    sys.stdout.flush()


def stack_of(error):
    """The frames of the function alone."""
    frames = traceback.extract_tb(error.__traceback__)
    mine = os.path.abspath(__file__)
    inner = [f for f in frames if os.path.abspath(f.filename) != mine
             and not f.filename.startswith("<frozen importlib")
             and os.path.basename(os.path.dirname(f.filename)) != "importlib"]
    return traceback.format_list(inner)


# --- logging --------------------------------------------------------------------------------------


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


class LogHandler(logging.Handler):
    def emit(self, record):
        sys.stdout.write(self.format(record))
        sys.stdout.flush()


def set_up_logging():
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s\n",
        "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = LogHandler()
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    logging.root.addHandler(handler)


# --- the handler's second argument ----------------------------------------------------------------


class Client:
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code",
                 "app_package_name")

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))


class ClientContext:
    __slots__ = ("client", "custom", "env")

    def __init__(self, values):
        self.client = Client(values["client"]) if isinstance(values.get("client"), dict) else None
        self.custom = values.get("custom")
        self.env = values.get("env")


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class LambdaContext:
    def __init__(self, headers):
        environ = os.environ
        self.aws_request_id = headers.get("Lambda-Runtime-Aws-Request-Id")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        client = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        identity = headers.get("Lambda-Runtime-Cognito-Identity")
        self.identity = CognitoIdentity(json.loads(identity) if identity else {})
        self._epoch_deadline_time_in_ms = int(headers.get("Lambda-Runtime-Deadline-Ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))
        sys.stdout.flush()

    def __repr__(self):
        return "LambdaContext([aws_request_id=%s,function_name=%s,invoked_function_arn=%s])" % (
            self.aws_request_id, self.function_name, self.invoked_function_arn)


# --- finding the handler --------------------------------------------------------------------------


class InitError(Exception):
    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.document = error_document(message, kind, trace)


def find_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise InitError("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    if module_name in sys.builtin_module_names:
        raise InitError("Runtime.BuiltInModuleConflict",
                        "Cannot use built-in module %s as a handler module" % module_name)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise InitError("Runtime.ImportModuleError",
                        "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        place = '  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)
        raise InitError("Runtime.UserCodeSyntaxError",
                        "Syntax error in module '%s': %s" % (module_name, error), [place])
    except Exception as error:
        raise InitError(type(error).__name__, str(error), stack_of(error))
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise InitError("Runtime.HandlerNotFound",
                        "Handler '%s' missing on module '%s'" % (function_name, module_name))


# --- events ---------------------------------------------------------------------------------------


def post_error(api, request_id, document):
    print_error(document)
    body = json.dumps(document, ensure_ascii=not plain_unicode()).encode("utf-8", "replace")
    api.post("/invocation/%s/error" % request_id, body,
             headers={"Lambda-Runtime-Function-Error-Type": document["errorType"]})


def run(handler, headers, data, request_id):
    """-> (body, content type), or an error document"""
    try:
        event = json.loads(data)
    except ValueError as error:
        return error_document("Unable to unmarshal input: %s" % error, "Runtime.UnmarshalError",
                              request_id=request_id)
    try:
        result = handler(event, LambdaContext(headers))
    except Exception as error:
        return error_document(str(error), type(error).__name__, stack_of(error), request_id)
    try:
        answer = encode(result)
    except (TypeError, ValueError, RecursionError) as error:
        return error_document("Unable to marshal response: %s" % error, "Runtime.MarshalError",
                              request_id=request_id)
    if len(answer[0]) > ANSWER_MAX:
        return error_document(
            "Response payload size exceeded maximum allowed payload size (%d bytes)." % ANSWER_MAX,
            "Function.ResponseSizeTooLarge", request_id=request_id)
    return answer


def serve(api, handler):
    while True:
        status, headers, data = api.request("GET", "/invocation/next")
        if status != 200:
            sys.exit(1)
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        RequestIdFilter.request_id = request_id
        trace = headers.get("Lambda-Runtime-Trace-Id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        answer = run(handler, headers, data, request_id)
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(answer, dict):
            post_error(api, request_id, answer)
        else:
            api.post("/invocation/%s/response" % request_id, *answer)


def main():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    root = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[0] = root  # instead of this file's folder
    os.chdir(root)
    set_up_logging()
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = find_handler(os.environ["_HANDLER"])
    except InitError as error:
        print_error(error.document)
        body = json.dumps(error.document).encode()
        api.post("/init/error", body,
                 headers={"Lambda-Runtime-Function-Error-Type": error.document["errorType"]})
        sys.exit(1)
    try:
        serve(api, handler)
    except (ConnectionError, http.client.HTTPException):
        sys.exit(1)  # the server is gone


if __name__ == "__main__":
    main()
