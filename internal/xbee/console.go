package xbee

import (
	"sync"
	"sync/atomic"

	"github.com/skep-sim/skep/internal/world"
)

// console is the UART as the interpreter sees it: bytes that have arrived wait
// in a queue; the character that interrupts a program is taken out as it
// arrives, so that a program which never reads still feels it.
type console struct {
	stream world.Stream
	clock  world.Clock

	mu        sync.Mutex
	queue     []byte
	interrupt int // the character that interrupts, -1: none
	ended     bool
	fired     func() // called, from any goroutine, when the character arrives

	arrived chan struct{} // something is in the queue, or the input has ended
	stop    chan struct{}
	done    chan struct{}
	// pressed receives when the interrupt character arrived, for those who wait;
	// hit remembers it for the interpreter's loop.
	pressed chan struct{}
	hit     atomic.Bool
	// drop decides, where the supply is weak, whether a byte is lost; may be nil.
	drop func() bool
}

func newConsole(s world.Stream, c world.Clock) *console {
	k := &console{
		stream: s, clock: c, interrupt: -1,
		arrived: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}), pressed: make(chan struct{}, 1),
	}
	go k.receive()
	return k
}

// receive takes bytes from the wire until the console is closed.
func (k *console) receive() {
	defer close(k.done)
	buf := make([]byte, 256)
	for {
		n, err := k.stream.Recv(buf)
		if n > 0 {
			k.put(buf[:n])
			continue
		}
		if err != nil {
			k.mu.Lock()
			k.ended = true
			k.mu.Unlock()
			notify(k.arrived)
			return
		}
		select {
		case <-k.stream.Changed():
		case <-k.stop:
			return
		}
	}
}

func (k *console) put(b []byte) {
	k.mu.Lock()
	fire := false
	for _, c := range b {
		if k.drop != nil && k.drop() {
			continue
		}
		if int(c) == k.interrupt {
			fire = true
			continue
		}
		k.queue = append(k.queue, c)
	}
	fired := k.fired
	k.mu.Unlock()
	notify(k.arrived)
	if fire {
		k.hit.Store(true)
		notify(k.pressed)
		if fired != nil {
			fired()
		}
	}
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// SetInterrupt sets the character that interrupts a program; -1 is none.
func (k *console) SetInterrupt(c int) {
	k.mu.Lock()
	k.interrupt = c
	k.mu.Unlock()
	k.hit.Store(false)
	select { // a press that came too late is nobody's
	case <-k.pressed:
	default:
	}
}

// take returns a byte that is there.
func (k *console) take() (c byte, ok, ended bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) == 0 {
		return 0, false, k.ended
	}
	c = k.queue[0]
	k.queue = k.queue[1:]
	return c, true, false
}

// Key waits for the next byte; false is the end of input. It implements
// repl.Terminal.
func (k *console) Key() (byte, bool) {
	for {
		c, ok, ended := k.take()
		if ok {
			return c, true
		}
		if ended {
			return 0, false
		}
		k.clock.Wait(world.Forever, k.arrived)
	}
}

// nobodyTypes is the Go panic that powers the device off when a program waits for
// input that will never come.
type nobodyTypes struct{}

// read is the interpreter's input: what has arrived. With wait it waits for
// something, or for the interrupt character.
func (k *console) read(b []byte, wait bool) (n int, end bool) {
	for {
		k.mu.Lock()
		n = copy(b, k.queue)
		k.queue = k.queue[n:]
		end = k.ended
		k.mu.Unlock()
		if n > 0 || !wait || k.hit.Load() {
			return n, false
		}
		if end {
			panic(nobodyTypes{})
		}
		k.clock.Wait(world.Forever, k.arrived, k.pressed)
	}
}

func (k *console) setDrop(drop func() bool) {
	k.mu.Lock()
	k.drop = drop
	k.mu.Unlock()
}

// Write sends bytes as they are.
func (k *console) Write(b []byte) {
	k.mu.Lock()
	drop := k.drop
	k.mu.Unlock()
	if drop != nil {
		kept := make([]byte, 0, len(b))
		for _, c := range b {
			if !drop() {
				kept = append(kept, c)
			}
		}
		b = kept
	}
	world.SendWait(k.clock, k.stream, b, world.Limit{})
}

// writeText sends what a program prints: LF becomes CR LF.
func (k *console) writeText(b []byte) {
	start := 0
	for i, c := range b {
		if c == '\n' {
			k.Write(b[start:i])
			k.Write([]byte("\r\n"))
			start = i + 1
		}
	}
	if start < len(b) {
		k.Write(b[start:])
	}
}

func (k *console) close() {
	close(k.stop)
	k.stream.Close()
	<-k.done
}
