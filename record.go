package skep

import (
	"fmt"
	"io"

	"github.com/skep-sim/skep/internal/replay"
)

// Replay runs a recording ([Options].Record, or skep run --record) again, without
// files, state or network, and returns how the run ended. What the module sends
// goes to console (nil: nowhere). The error says where the run first differs from
// the recorded one, if it does; a recording that was cut is replayed as far as it
// goes, with an error that says so.
func Replay(recording io.Reader, console io.Writer) (Result, error) {
	r, err := replay.Read(recording)
	if err != nil {
		return Result{}, fmt.Errorf("skep: %w", err)
	}
	var lost error
	o, err := r.Run(replay.Watch{Output: func(b []byte) {
		if console == nil || lost != nil {
			return
		}
		_, lost = console.Write(b)
	}})
	if err == nil {
		err = lost
	}
	if err == nil && o.End != nil {
		err = o.End
	}
	if err != nil {
		return Result{}, fmt.Errorf("skep: %w", err)
	}
	return Result{o.Ran, o.Failed, o.Off}, nil
}
