package board

// uartQueue is how many bytes the secondary UART holds each way; what arrives
// beyond them is lost. A choice.
const uartQueue = 4096

// UART is the secondary serial port: two queues of bytes. What is written is at
// the other end at once.
type UART struct {
	// Settings are those of the last Open.
	Settings UARTSettings

	open    bool
	in, out []byte
	arrived chan struct{}
	sent    func(b []byte)
}

// UARTSettings are what module machine sets.
type UARTSettings struct {
	Baud, Bits, Stop int
	Parity           int // 0 even, 1 odd, -1 none
	RTS, CTS         bool
	Timeout          int // ms, for the first byte of a read
	TimeoutChar      int // ms, between bytes
}

func (u *UART) init() { u.arrived = make(chan struct{}, 1) }

// Open switches the port on.
func (u *UART) Open(s UARTSettings) { u.Settings, u.open = s, true }

// Close switches the port off; what has arrived can still be read.
func (u *UART) Close() { u.open = false }

// IsOpen reports whether the port is on.
func (u *UART) IsOpen() bool { return u.open }

// Any is how many bytes have arrived.
func (u *UART) Any() int { return len(u.in) }

// Read takes what has arrived.
func (u *UART) Read(b []byte) int {
	n := copy(b, u.in)
	u.in = u.in[n:]
	return n
}

// Write sends bytes. What nobody at the other end takes is kept, the oldest
// being lost in the end.
func (u *UART) Write(b []byte) {
	if u.sent != nil {
		u.sent(b)
		return
	}
	u.out = append(u.out, b...)
	if len(u.out) > uartQueue {
		u.out = u.out[len(u.out)-uartQueue:]
	}
}

// Arrived receives when bytes have arrived.
func (u *UART) Arrived() <-chan struct{} { return u.arrived }

// Deliver puts bytes on the wire towards the module, as what is connected there
// does. It returns how many there was room for; a port that is off hears
// nothing.
func (u *UART) Deliver(b []byte) int {
	if !u.open {
		return 0
	}
	n := min(len(b), uartQueue-len(u.in))
	u.in = append(u.in, b[:n]...)
	nudge(u.arrived)
	return n
}

// OnSend has what the module sends given to f, and first what it has sent
// already.
func (u *UART) OnSend(f func(b []byte)) {
	u.sent = f
	if f != nil && len(u.out) > 0 {
		f(u.out)
		u.out = nil
	}
}

// Sent takes what the module has sent, if no OnSend took it.
func (u *UART) Sent() []byte {
	b := u.out
	u.out = nil
	return b
}
