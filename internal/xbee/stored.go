package xbee

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// stored is the code that Ctrl-F keeps: /flash/main.mpy, which starts with the
// module unless there is a main.py (device-facts.md 2.2).
type stored Device

// Store implements repl.Flash.
func (s *stored) Store(text []byte) {
	data, err := mpy.Write(s.vm.CompileModule(text, "<stdin>"))
	if err != nil {
		panic("xbee: compiled code cannot be written: " + err.Error())
	}
	s.raise(s.conf.Flash.FS().Store("/", flash.Root+"/main.mpy", data, false))
	if _, err := s.conf.Flash.FS().Stat("/", flash.Root+"/main.py"); err == nil {
		(*Device)(s).note("Ctrl-F has stored /flash/main.mpy, but the module starts /flash/main.py, which is there, too: remove it")
	}
}

// Autostart implements repl.Flash. It is to outlast the next reset, so it is
// saved.
func (s *stored) Autostart(on bool) {
	ps := at.Int(0)
	if on {
		ps = at.Int(1)
	}
	_, err := s.regs.Atcmd("PS", ps)
	if err == nil {
		_, err = s.regs.Atcmd("WR", at.Value{})
	}
	if err != nil {
		(*Device)(s).note("Ctrl-F: " + err.Error())
		s.vm.RaiseOS(vm.Errno(flash.EIO))
	}
}

// Run implements repl.Flash.
func (s *stored) Run() {
	path := flash.Root + "/main.mpy"
	text, err := s.conf.Flash.FS().ReadSecure("/", path)
	s.raise(err)
	(*Device)(s).runFile(path, text)
}

func (s *stored) raise(err error) {
	if err != nil {
		s.vm.RaiseOS(vm.Errno(flash.ErrnoOf(err)))
	}
}
