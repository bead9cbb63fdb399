"""A small HTTP client for the XBee 3 Cellular: one request, one answer.

request() returns (status, body). With ssl_params (keyfile, certfile and ca_certs
of ussl.wrap_socket) the connection is TLS.
"""
import usocket


def request(method, host, path, port=0, body=b"", ssl_params=None):
    if ssl_params is None:
        s = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_TCP)
    else:
        import ussl
        s = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
        s = ussl.wrap_socket(s, **ssl_params)
    try:
        s.connect((host, port or (80 if ssl_params is None else 443)))
        s.write("%s %s HTTP/1.0\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (method, path, host, len(body)))
        if body:
            s.write(body)
        status = int(s.readline().split(None, 2)[1])
        size = None
        while True:
            line = s.readline()
            if not line or line == b"\r\n":
                break
            name, _, value = line.partition(b":") if hasattr(line, "partition") else _split(line)
            if name.lower() == b"content-length":
                size = int(value)
        if size is None:
            return status, s.read()
        data = b""
        while len(data) < size:
            more = s.read(size - len(data))
            if not more:
                break
            data += more
        return status, data
    finally:
        s.close()


def _split(line):
    at = line.find(b":")
    return line[:at], b":", line[at + 1:]
