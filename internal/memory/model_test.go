package memory

import "fmt"

// model is the allocator as the rules put it, one block at a time and with
// the starting index that upstream keeps: what Heap must agree with.
type model struct {
	kind      []byte // free, head, tail, mark
	final     []bool // nil without finalisers
	word      []uint32
	index     int // groups of four blocks below are all in use
	lock      int
	autoOff   bool
	amount    int
	threshold int // blocks, -1: off
	pool      uint32
	roots     []uint32
	finalised []uint32
	collects  int
}

const (
	free = iota
	head
	tail
	mark
)

func newModel(blocks int, pool uint32, finals bool) *model {
	m := &model{kind: make([]byte, blocks), word: make([]uint32, blocks*4), pool: pool, threshold: -1}
	if finals {
		m.final = make([]bool, blocks)
	}
	return m
}

func (m *model) at(b int) byte {
	if b >= len(m.kind) {
		return free
	}
	return m.kind[b]
}

func (m *model) addr(b int) uint32 { return m.pool + uint32(b)*16 }

// block returns the block whose head p points to, or -1.
func (m *model) block(p uint32) int {
	if p < m.pool || p%16 != 0 || int(p-m.pool)/16 >= len(m.kind) {
		return -1
	}
	return int(p-m.pool) / 16
}

func (m *model) length(b int) int {
	n := 1
	for m.at(b+n) == tail {
		n++
	}
	return n
}

func (m *model) find(blocks int) int {
	n := 0
	for b := m.index * 4; b < len(m.kind); b++ {
		if m.kind[b] != free {
			n = 0
		} else if n++; n == blocks {
			return b - n + 1
		}
	}
	return -1
}

func (m *model) alloc(n uint32, final bool) uint32 {
	blocks := int((n + 15) &^ 15 / 16)
	if blocks == 0 || m.lock > 0 {
		return 0
	}
	collected := m.autoOff
	if !collected && m.threshold >= 0 && m.amount >= m.threshold {
		m.collect()
		collected = true
	}
	b := m.find(blocks)
	if b < 0 && !collected {
		m.collect()
		b = m.find(blocks)
	}
	if b < 0 {
		return 0
	}
	if blocks == 1 {
		m.index = (b + 1) / 4
	}
	m.kind[b] = head
	for i := 1; i < blocks; i++ {
		m.kind[b+i] = tail
	}
	m.amount += blocks
	clear(m.word[b*4 : (b+blocks)*4])
	if final && m.final != nil {
		m.final[b] = true
	}
	return m.addr(b)
}

func (m *model) free(p uint32) {
	if p == 0 || m.lock > 0 {
		return
	}
	b := m.block(p)
	if m.final != nil {
		m.final[b] = false
	}
	m.index = min(m.index, b/4)
	for n := m.length(b); n > 0; n-- {
		m.kind[b] = free
		b++
	}
}

func (m *model) realloc(p, n uint32, allowMove bool) uint32 {
	if p == 0 {
		return m.alloc(n, false)
	}
	if n == 0 {
		m.free(p)
		return 0
	}
	if m.lock > 0 {
		return 0
	}
	b := m.block(p)
	want, have, spare := int(n+15)/16, 1, 0
	for i := b + 1; i < len(m.kind) && have+spare < want+have; i++ {
		if m.kind[i] == tail && spare == 0 {
			have++
		} else if m.kind[i] == free {
			spare++
		} else {
			break
		}
	}
	switch {
	case want == have:
		return p
	case want < have:
		for i := b + want; i < b+have; i++ {
			m.kind[i] = free
		}
		m.index = min(m.index, (b+want)/4)
		return p
	case want <= have+spare:
		for i := b + have; i < b+want; i++ {
			m.kind[i] = tail
		}
		clear(m.word[(b+have)*4 : (b+want)*4])
		return p
	case !allowMove:
		return 0
	}
	m.roots = append(m.roots, p) // the device's C stack holds it
	q := m.alloc(n, m.final != nil && m.final[b])
	m.roots = m.roots[:len(m.roots)-1]
	if q == 0 {
		return 0
	}
	copy(m.word[m.block(q)*4:], m.word[b*4:(b+have)*4])
	m.free(p)
	return q
}

func (m *model) trace(p uint32) {
	b := m.block(p)
	if b < 0 || m.kind[b] != head {
		return
	}
	m.kind[b] = mark
	for _, v := range m.word[b*4 : (b+m.length(b))*4] {
		m.trace(v)
	}
}

func (m *model) collect() int {
	m.amount = 0
	for _, p := range m.roots {
		m.trace(p)
	}
	return m.sweep()
}

func (m *model) sweep() (freed int) {
	m.lock++
	inDead := false
	for b := range m.kind {
		switch m.kind[b] {
		case head:
			if m.final != nil && m.final[b] {
				m.finalised = append(m.finalised, m.addr(b))
				m.final[b] = false
			}
			freed++
			inDead = true
			m.kind[b] = free
		case tail:
			if inDead {
				m.kind[b] = free
			}
		case mark:
			m.kind[b] = head
			inDead = false
		}
	}
	m.index = 0
	m.lock--
	m.collects++
	return freed
}

func (m *model) size(p uint32) uint32 {
	if b := m.block(p); b >= 0 && m.kind[b] == head {
		return uint32(m.length(b)) * 16
	}
	return 0
}

func (m *model) info() Info {
	info := Info{Total: uint32(len(m.kind)) * 16}
	run, chain := uint32(0), uint32(0)
	endChain := func() {
		switch chain {
		case 1:
			info.Num1Block++
		case 2:
			info.Num2Block++
		}
		info.MaxBlock = max(info.MaxBlock, chain)
		chain = 0
	}
	endRun := func() {
		if run > 0 {
			info.NumFree++
		}
		info.MaxFree = max(info.MaxFree, run)
		run = 0
	}
	for _, k := range m.kind {
		switch k {
		case free:
			endChain()
			run++
			info.Free += 16
		case head:
			endChain()
			endRun()
			chain = 1
			info.Used += 16
		case tail:
			chain++
			info.Used += 16
		}
	}
	endChain()
	endRun()
	return info
}

// compare returns the first thing in which h differs from the model.
func (m *model) compare(h *Heap) error {
	if err := h.Check(); err != nil {
		return err
	}
	for b := range m.kind {
		w, i := b>>6, uint(b)&63
		k := byte(free)
		switch used, isHead := h.used[w]>>i&1 != 0, h.head[w]>>i&1 != 0; {
		case used && isHead:
			k = head
		case used:
			k = tail
		case isHead:
			k = mark
		}
		if k != m.kind[b] {
			return fmt.Errorf("block %d is %d, want %d", b, k, m.kind[b])
		}
		if m.final != nil && h.final[w]>>i&1 != 0 != m.final[b] {
			return fmt.Errorf("block %d: finaliser %v is wrong", b, !m.final[b])
		}
	}
	for i, v := range m.word {
		if got := h.Words()[m.pool/4+uint32(i)]; got != v {
			return fmt.Errorf("word %d of block %d is %#x, want %#x", i%4, i/4, got, v)
		}
	}
	if got, want := h.Info(), m.info(); got != want {
		return fmt.Errorf("info %+v, want %+v", got, want)
	}
	if got := h.NumCollections(); got != uint64(m.collects) {
		return fmt.Errorf("%d collections, want %d", got, m.collects)
	}
	return nil
}
