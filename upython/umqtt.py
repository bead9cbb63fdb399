"""An MQTT 3.1.1 client for the XBee 3 Cellular, with the interface of umqtt.simple.

QoS 0 and 1. With ssl=True the socket is made with IPPROTO_SEC and wrapped before
it is connected, because the modem speaks TLS, not Python; ssl_params are the
keyfile, certfile and ca_certs of ussl.wrap_socket.
"""
import usocket
import ustruct


class MQTTException(Exception):
    pass


class MQTTClient:
    def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=0,
                 ssl=False, ssl_params=None):
        self.client_id = client_id
        self.server = server
        self.port = port or (8883 if ssl else 1883)
        self.user = user
        self.password = password
        self.keepalive = keepalive
        self.ssl = ssl
        self.ssl_params = ssl_params or {}
        self.sock = None
        self.cb = None
        self.pid = 0
        self.will = None

    def set_callback(self, f):
        self.cb = f

    def set_last_will(self, topic, msg, retain=False, qos=0):
        self.will = (topic, msg, retain, qos)

    def connect(self, clean_session=True):
        flags = 2 if clean_session else 0
        fields = [self.client_id]
        if self.will:
            topic, msg, retain, qos = self.will
            flags |= 4 | qos << 3 | (32 if retain else 0)
            fields += [topic, msg]
        if self.user is not None:
            flags |= 0xC0
            fields += [self.user, self.password]
        if self.ssl:
            import ussl
            s = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
            s = ussl.wrap_socket(s, **self.ssl_params)
        else:
            s = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_TCP)
        self.sock = s
        s.connect((self.server, self.port))
        head = ustruct.pack("!H4sBBH", 4, b"MQTT", 4, flags, self.keepalive)
        self._send(0x10, head, *fields)
        answer = self._exactly(4)
        if answer[0] != 0x20 or answer[1] != 2:
            raise MQTTException("not a CONNACK")
        if answer[3]:
            raise MQTTException(answer[3])
        return answer[2] & 1

    def disconnect(self):
        self.sock.write(b"\xe0\0")
        self.sock.close()

    def ping(self):
        self.sock.write(b"\xc0\0")

    def publish(self, topic, msg, retain=False, qos=0):
        size = 2 + len(topic) + len(msg) + (2 if qos else 0)
        self._head(0x30 | qos << 1 | (1 if retain else 0), size)
        self._string(topic)
        if qos:
            pid = self._next_pid()
            self.sock.write(ustruct.pack("!H", pid))
        self.sock.write(msg)
        while qos:
            if self.wait_msg() == 0x40 and ustruct.unpack("!H", self.ack)[0] == pid:
                return

    def subscribe(self, topic, qos=0):
        pid = self._next_pid()
        self._head(0x82, 2 + 2 + len(topic) + 1)
        self.sock.write(ustruct.pack("!H", pid))
        self._string(topic)
        self.sock.write(bytes([qos]))
        while self.wait_msg() != 0x90:
            pass
        if self.ack[2] == 0x80:
            raise MQTTException("subscription refused: " + topic)

    def wait_msg(self):
        """Handle the next packet, waiting for it. Returns its type, or None."""
        first = self.sock.read(1)
        self.sock.setblocking(True)
        if first is None:
            return None
        if first == b"":
            raise OSError(-1)
        kind = first[0] & 0xF0
        size = shift = 0
        while True:
            b = self._exactly(1)[0]
            size |= (b & 0x7F) << shift
            if b < 0x80:
                break
            shift += 7
        if kind != 0x30:
            self.ack = self._exactly(size)
            return kind
        qos = first[0] >> 1 & 3
        n = ustruct.unpack("!H", self._exactly(2))[0]
        topic = self._exactly(n)
        size -= n + 2
        if qos:
            pid = self._exactly(2)
            size -= 2
        msg = self._exactly(size)
        if qos:
            self.sock.write(b"\x40\x02" + pid)
        if self.cb:
            self.cb(topic, msg)
        return kind

    def check_msg(self):
        """Handle a packet if one is there; never waits for one to begin."""
        self.sock.setblocking(False)
        return self.wait_msg()

    def _next_pid(self):
        self.pid = self.pid % 65535 + 1
        return self.pid

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.read(n - len(data))
            if more == b"":
                raise OSError(-1)
            if more:
                data = data + more if data else more
        return data

    def _string(self, s):
        self.sock.write(ustruct.pack("!H", len(s)))
        self.sock.write(s)

    def _head(self, first, size):
        head = bytearray([first])
        while size > 0x7F:
            head.append(size & 0x7F | 0x80)
            size >>= 7
        head.append(size)
        self.sock.write(head)

    def _send(self, first, head, *strings):
        size = len(head)
        for s in strings:
            size += 2 + len(s)
        self._head(first, size)
        self.sock.write(head)
        for s in strings:
            self._string(s)
