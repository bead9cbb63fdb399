package flash

import (
	"bytes"
	"errors"
)

// ErrPowerLost is what every step of a [Memory] fails with once its power is
// gone.
var ErrPowerLost = errors.New("power lost")

// Memory is a storage that lives and dies with the process, and on which power
// can be made to fail at a chosen step. Its zero value is empty and does not
// fail.
type Memory struct {
	now        memoryState
	torn, full memoryState // what the failing step may have left
	steps      int
	failAt     int
	dead       bool
}

// memoryState tells what is written from what would outlive a loss of power.
// Slices may share memory: bytes below a length that was synced never change.
type memoryState struct {
	journal, synced    []byte
	stage, stageSynced []byte
	renamed            bool   // the journal is a successor whose place is not synced yet
	predecessor        []byte // what was synced of the journal before
}

// NewMemory is an empty storage in memory.
func NewMemory() *Memory { return &Memory{} }

// FailAt lets power fail at the k-th step from now, counted from 1; 0 never.
func (m *Memory) FailAt(k int) { m.steps, m.failAt = 0, k }

// Steps is how many steps there have been since the last FailAt.
func (m *Memory) Steps() int { return m.steps }

// Outcome is what becomes of the failing step, and of those not synced before
// it.
type Outcome int

// What may be left after a loss of power.
const (
	KeepSynced  Outcome = iota // what was synced; an unsynced renaming is undone
	KeepRenamed                // what was synced, under its new name
	KeepWritten                // all that was written before the failing step
	KeepTorn                   // and half of that step
	KeepAll                    // and all of that step
	outcomes
)

// Outcomes lists them all; an operation must survive each.
func Outcomes() []Outcome {
	var all []Outcome
	for o := range outcomes {
		all = append(all, o)
	}
	return all
}

// Survivor is the storage as it is found when power is back.
func (m *Memory) Survivor(o Outcome) *Memory {
	s := m.now
	switch {
	case o == KeepTorn && m.dead:
		s = m.torn
	case o == KeepAll && m.dead:
		s = m.full
	}
	left := s.journal
	switch {
	case o == KeepSynced && s.renamed:
		left = s.predecessor
	case o <= KeepRenamed:
		left = s.synced
	}
	left = bytes.Clone(left)
	return &Memory{now: memoryState{journal: left, synced: left}}
}

// step does one step, or loses power at it.
func (m *Memory) step(do func(s *memoryState, half bool)) error {
	if m.dead {
		return ErrPowerLost
	}
	m.steps++
	if m.steps == m.failAt {
		m.dead = true
		m.torn, m.full = m.now, m.now
		do(&m.torn, true)
		do(&m.full, false)
		return ErrPowerLost
	}
	do(&m.now, false)
	return nil
}

// Load implements [Storage].
func (m *Memory) Load() ([]byte, error) { return m.now.journal, nil }

// Append implements [Storage].
func (m *Memory) Append(p []byte) error {
	return m.step(func(s *memoryState, half bool) {
		if half {
			p = p[:len(p)/2]
		}
		// Clipped while power is failing: torn and full must not share.
		s.journal = append(s.journal[:len(s.journal):m.capOf(s)], p...)
	})
}

// capOf is how far s.journal may grow where it lies.
func (m *Memory) capOf(s *memoryState) int {
	if m.dead {
		return len(s.journal)
	}
	return cap(s.journal)
}

// Truncate implements [Storage].
func (m *Memory) Truncate(size int) error {
	return m.step(func(s *memoryState, half bool) {
		if !half {
			s.journal = s.journal[:size:size]
		}
	})
}

// Sync implements [Storage].
func (m *Memory) Sync() error {
	return m.step(func(s *memoryState, half bool) {
		if !half {
			s.synced = s.journal
		}
	})
}

// Stage implements [Storage].
func (m *Memory) Stage(p []byte) error {
	return m.step(func(s *memoryState, half bool) {
		s.stageSynced = nil
		if half {
			p = p[:len(p)/2]
		}
		s.stage = bytes.Clone(p)
	})
}

// SyncStage implements [Storage].
func (m *Memory) SyncStage() error {
	return m.step(func(s *memoryState, half bool) {
		if !half {
			s.stageSynced = s.stage
		}
	})
}

// Adopt implements [Storage].
func (m *Memory) Adopt() error {
	return m.step(func(s *memoryState, half bool) {
		if half {
			return
		}
		if !s.renamed {
			s.predecessor = s.synced
		}
		s.journal, s.synced, s.renamed = s.stage, s.stageSynced, true
		s.stage, s.stageSynced = nil, nil
	})
}

// SyncDir implements [Storage].
func (m *Memory) SyncDir() error {
	return m.step(func(s *memoryState, half bool) {
		if !half {
			s.renamed, s.predecessor = false, nil
		}
	})
}

// Close implements [Storage]; the content stays, for the next Open.
func (m *Memory) Close() error { return nil }
