package compiler

import "github.com/skep-sim/skep/internal/syntax"

// A failure is an error that ends compiling at once, as a full heap does on
// the device. It travels as a panic up to CompileTree.
type failure struct{ err error }

// alloc charges n bytes; the device allocates nothing for 0.
func (c *compiler) alloc(n int) syntax.Ref {
	if c.opts.Budget == nil || n == 0 {
		return 0
	}
	r, err := c.opts.Budget.Alloc(n)
	if err != nil {
		panic(failure{err})
	}
	return r
}

func (c *compiler) resize(r syntax.Ref, n int) syntax.Ref {
	if c.opts.Budget == nil {
		return 0
	}
	r, err := c.opts.Budget.Resize(r, n)
	if err != nil {
		panic(failure{err})
	}
	return r
}

func (c *compiler) free(r syntax.Ref) {
	if c.opts.Budget != nil && r != 0 {
		c.opts.Budget.Free(r)
	}
}

// emitterSize is the size of the device's emitter.
func (c *compiler) emitterSize() int {
	if c.opts.Version >= 5 {
		return emitterBytesV12
	}
	return emitterBytes
}

// scratch charges n bytes of a buffer that is on the stack where there is
// alloca, and never given back where there is none.
func (c *compiler) scratch(n int) {
	switch {
	case c.opts.Budget == nil || !c.opts.NoAlloca:
	case c.first:
		c.alloc(n)
	default:
		c.emit.later = append(c.emit.later, charge{obj: -1, bytes: n})
	}
}

// chargeCode charges what the device allocates in the three passes that write
// s: scratch buffers in each, code and const table after the second, and the
// constants that only the emitter makes in the third.
func (c *compiler) chargeCode(s *scope) {
	for range 2 {
		for _, l := range c.emit.later {
			if l.obj < 0 {
				c.alloc(l.bytes)
			}
		}
	}
	raw := s.raw
	raw.CodeRef = uint32(c.alloc(len(raw.Code)))
	raw.TableRef = uint32(c.alloc(4 * (len(raw.ArgNames) + len(raw.Objs) + len(raw.Children))))
	for _, l := range c.emit.later {
		if l.obj < 0 {
			c.alloc(l.bytes)
			continue
		}
		o := &raw.Objs[l.obj]
		ref, err := c.opts.Budget.Object(&syntax.Const{Kind: syntax.ConstBytes, Text: o.Text})
		if err != nil {
			panic(failure{err})
		}
		o.Ref = uint32(ref)
	}
}
