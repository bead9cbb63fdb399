package skep

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// outputKept is how much of what the module has sent is kept, in bytes.
const outputKept = 1 << 20

// port is the host's end of the module's serial port.
type port struct {
	in    *io.PipeReader // what is typed
	typed *io.PipeWriter
	copy  io.Writer

	mu      sync.Mutex
	changed sync.Cond
	kept    []byte
	dropped int64 // bytes before kept
	read    int64 // how far Serial's Read has come
	over    bool
}

func newPort(copy io.Writer) *port {
	p := &port{copy: copy}
	p.in, p.typed = io.Pipe()
	p.changed.L = &p.mu
	return p
}

// Write takes what the module sends.
func (p *port) Write(b []byte) (int, error) {
	if p.copy != nil {
		if _, err := p.copy.Write(b); err != nil {
			return 0, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = append(p.kept, b...)
	if n := len(p.kept) - outputKept; n > 0 {
		p.kept = append(p.kept[:0], p.kept[n:]...)
		p.dropped += int64(n)
	}
	p.changed.Broadcast()
	return len(b), nil
}

// end is the end of the module's run.
func (p *port) end() {
	p.in.Close()
	p.typed.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.changed.Broadcast()
}

// serial is the port as Serial gives it.
type serial struct{ *port }

// Read implements io.Reader.
func (s serial) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		s.read = max(s.read, s.dropped)
		if rest := s.kept[s.read-s.dropped:]; len(rest) > 0 {
			n := copy(b, rest)
			s.read += int64(n)
			return n, nil
		}
		if s.over {
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

// Write implements io.Writer.
func (s serial) Write(b []byte) (int, error) { return s.typed.Write(b) }

// Close implements io.Closer.
func (s serial) Close() error { return s.typed.Close() }

// Serial is the host's end of the module's serial port. Reading gives what the
// module sends, from the beginning, and waits for more; writing types into the
// port; closing unplugs the cable for good, which powers a module off that waits
// at its prompt. All that Serial returns is one port with one reading position. A
// reader who is more than 1 MiB behind loses the oldest.
func (m *Module) Serial() io.ReadWriteCloser { return serial{m.port} }

// Output is what the module has sent on its serial port so far, the last 1 MiB of
// it.
func (m *Module) Output() string {
	m.port.mu.Lock()
	defer m.port.mu.Unlock()
	return string(m.port.kept)
}

// WaitFor waits until the module's output contains a text. The error says what
// the output ended with when the module was off before that, or ctx was over.
func (m *Module) WaitFor(ctx context.Context, text string) error {
	p := m.port
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed.Broadcast()
	})()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !strings.Contains(string(p.kept), text) {
		end := p.kept[max(0, len(p.kept)-300):]
		switch {
		case p.over:
			return fmt.Errorf("skep: the module was off before it sent %q; its output ends with %q", text, end)
		case ctx.Err() != nil:
			return fmt.Errorf("skep: waiting for %q: %w; the output ends with %q", text, context.Cause(ctx), end)
		}
		p.changed.Wait()
	}
	return nil
}
