package memory

import "testing"

// TestPoolBytes checks rule "the pool that a heap area yields" against totals
// printed by running references.
func TestPoolBytes(t *testing.T) {
	for _, c := range []struct {
		heap   int
		finals bool
		pool   int
	}{
		{32768, true, 32000},
		{32750, true, 32000},
		{32815, true, 32000},
		{32749, true, 31936},
		{32816, true, 32064},
		{32768, false, 32256},
		{65536, true, 64000},
		{64 << 20, true, 65571968},
		{66, true, 64},
		{66, false, 64},
	} {
		cfg := Config{HeapBytes: c.heap, Finalisers: c.finals}
		if got := cfg.PoolBytes(); got != c.pool {
			t.Errorf("%+v: pool of %d bytes, want %d", cfg, got, c.pool)
		}
		h := New(cfg)
		start, end := h.Pool()
		if int(end-start) != c.pool || start%16 != 0 || h.Info().Total != uint32(c.pool) {
			t.Errorf("%+v: pool [%#x,%#x), total %d", cfg, start, end, h.Info().Total)
		}
		if err := h.Check(); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
		// the whole pool can be one allocation, and no more
		if p := h.Alloc(uint32(c.pool) + 1); p != 0 {
			t.Errorf("%+v: more than the pool was allocated", cfg)
		}
		if p := h.Alloc(uint32(c.pool)); p != start {
			t.Errorf("%+v: whole pool at %#x, want %#x", cfg, p, start)
		}
		if err := h.Check(); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
