package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/host/settings"
)

// atCmd is skep at.
type atCmd struct {
	portFlags
	Save   bool   `help:"Save the settings (ATWR), so that they outlast a reset."`
	Export string `help:"Write all settings to a TOML file; - for standard output." placeholder:"FILE"`
	Import string `help:"Set what differs from such a file, and make sure of it." placeholder:"FILE"`
	DryRun bool   `name:"dry-run" help:"With --import: only say what differs."`
	JSON   bool   `name:"json" help:"Print the answers as JSON."`

	Commands []string `arg:"" optional:"" name:"command" help:"Commands, without their AT: VR asks, NI=pump or NIpump sets, numbers are hexadecimal (BD=7, GT=0x3E8)."`
}

func (*atCmd) Help() string {
	return "Example:\n  skep at VR IM AI\n  skep at AP=4 'NI=pump 3' PS=1 --save\n  skep at --export pump.toml\n  skep at --import pump.toml --save\n\n" +
		"The commands are carried out one after the other, in one visit of command mode; what was\n" +
		"set counts when it ends, and is forgotten at the next reset without --save. The first\n" +
		"that the module refuses ends it. docs/at-commands.md lists them all. Files are skep fs's."
}

// atAnswer is an answer for --json.
type atAnswer struct {
	Command string `json:"command"`
	Answer  string `json:"answer"`
}

func (a *atCmd) check() error {
	switch {
	case len(a.Commands) == 0 && a.Export == "" && a.Import == "" && !a.Save:
		return errors.New("give a command, skep at VR say, or --export or --import")
	case a.DryRun && a.Import == "":
		return errors.New("--dry-run says what --import would change: give that, too")
	}
	for _, c := range a.Commands {
		if _, err := command(c); err != nil {
			return err
		}
	}
	return nil
}

// command is a command as it is typed in command mode.
func command(arg string) (string, error) {
	name, value, set := strings.Cut(arg, "=")
	if len(name) == 4 && strings.EqualFold(name[:2], "AT") {
		name = name[2:]
	}
	switch {
	case len(name) < 2 || set && len(name) != 2:
		return "", fmt.Errorf("%q is no AT command: it has two characters, and a value behind a = (NI=pump)", arg)
	case set && value == "":
		return "", fmt.Errorf("%s: command mode cannot be told an empty value: ATRE puts every setting back to what a module comes with", arg)
	case strings.ContainsAny(arg, ",\r\n"):
		return "", fmt.Errorf("%q: a comma or the end of a line ends a command: give each command by itself", arg)
	case strings.EqualFold(name[:2], "CN"):
		return "", fmt.Errorf("%s: command mode is left when all commands are done: leave it away", arg)
	case strings.EqualFold(name[:2], "FS"):
		return "", fmt.Errorf("%s: use skep fs for the module's files", arg)
	}
	if digits, ok := strings.CutPrefix(strings.ToLower(value), "0x"); ok {
		value = digits
	}
	if strings.EqualFold(name, "BD") && len(value) > 3 && strings.Trim(value, "0123456789") == "" {
		// 115200 cannot be meant as hexadecimal: no module has that rate.
		if code, ok := baudCodes[value]; ok {
			value = code
		}
	}
	return strings.ToUpper(name[:2]) + name[2:] + value, nil
}

// baudCodes are the values of ATBD by the rates that people say.
var baudCodes = map[string]string{
	"2400": "1", "4800": "2", "9600": "3", "19200": "4", "38400": "5", "57600": "6", "115200": "7", "230400": "8", "460800": "9", "921600": "A",
}

func (a *atCmd) Run() error {
	if err := a.check(); err != nil {
		return err
	}
	var file *settings.File
	if a.Import != "" {
		text, err := os.ReadFile(a.Import)
		if err != nil {
			return fmt.Errorf("--import: %w", err)
		}
		if file, err = settings.Read(a.Import, text); err != nil {
			return err
		}
	}
	return a.with(func(c *connection, s *link.Session) error {
		if file != nil {
			if err := a.load(s, file); err != nil {
				return err
			}
		}
		if err := a.each(s); err != nil {
			return err
		}
		if a.Save && !a.DryRun {
			if err := s.Do("WR"); err != nil {
				return err
			}
		}
		if a.Export == "" {
			return nil
		}
		return a.store(c, s)
	})
}

// each carries out the commands.
func (a *atCmd) each(s *link.Session) error {
	answers := []atAnswer{}
	defer func() {
		if a.JSON {
			json.NewEncoder(os.Stdout).Encode(answers)
		}
	}()
	for _, arg := range a.Commands {
		text, err := command(arg)
		if err != nil {
			return err
		}
		ask := s.Command
		if text == "FR" {
			ask = func(string) (string, error) { return "OK", s.ResetModule() }
		}
		answer, err := ask(text)
		if err != nil {
			return err
		}
		answers = append(answers, atAnswer{text, answer})
		switch {
		case a.JSON:
		case len(a.Commands) == 1:
			fmt.Println(answer)
		default:
			fmt.Printf("%-4s %s\n", text[:2], strings.ReplaceAll(answer, "\n", "\n     "))
		}
	}
	return nil
}

// load sets what differs from a file.
func (a *atCmd) load(s *link.Session, f *settings.File) error {
	changes, err := settings.Compare(s, f)
	if err != nil {
		return err
	}
	if firmware, err := s.Query("VR"); err == nil && f.Module.Firmware != "" && firmware != f.Module.Firmware {
		fmt.Fprintf(os.Stderr, "skep: the settings are of a module with firmware %s, this one has %s\n", f.Module.Firmware, firmware)
	}
	for _, c := range changes {
		fmt.Printf("%s: %q, was %q\n", c.Name, c.New, c.Old)
	}
	if len(changes) == 0 {
		fmt.Fprintln(os.Stderr, "skep: every setting is as in the file")
	}
	if a.DryRun {
		return nil
	}
	return settings.Apply(s, changes, false)
}

// store writes all settings to a file.
func (a *atCmd) store(c *connection, s *link.Session) error {
	bar := newTransferBar(c.clock)
	text, err := settings.Export(s, func(done, total int) {
		if bar.on {
			fmt.Fprintf(os.Stderr, "\r\x1b[Ksetting %d of %d", done, total)
		}
	})
	if bar.on {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	if err != nil {
		return err
	}
	if a.Export == "-" {
		_, err = os.Stdout.Write(text)
		return err
	}
	return os.WriteFile(a.Export, text, 0o644)
}
