package at

import (
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/profile"
)

// What a command can fail with.
var (
	ErrUnknown = errors.New("unknown command")        // KeyError in Python
	ErrValue   = errors.New("invalid parameter")      // ValueError in Python
	ErrFailed  = errors.New("the command failed")     // the module could not do it
	ErrHidden  = errors.New("it cannot be read back") // nothing in Python
)

// Module is what the registers belong to.
type Module interface {
	// ReadState answers a command of access [State]; a zero Value if there is
	// nothing to tell now. VR, HV, HS, CK and FI are not
	// asked for.
	ReadState(name string) (Value, error)
	// Obey carries out an order with its argument, which is of the kind that the
	// table says, or the zero Value if there is none. AC, WR, RE and FO are not
	// asked for.
	Obey(name string, arg Value) (Value, error)
	// Applied is called after settings have begun to count, with their names
	// in order. Setting something to what it was is included: writing TM, say,
	// closes a connection even so.
	Applied(names []string)
}

// Store is where saved settings are kept.
type Store interface {
	Get() []byte
	Put([]byte) error
}

// Registers is the state of a module's table. It serves one goroutine.
type Registers struct {
	table   []Register
	profile *profile.Profile
	module  Module
	store   Store
	set     settings // as they read
	active  settings // as they count
	pending []string
	update  update // of the modem's firmware
}

// settings are those that differ from their default, by place in the table: few,
// and there may be thousands of modules.
type settings map[int]Value

// get is the value of the setting at a place of the table.
func (r *Registers) get(s settings, i int) Value {
	if v, ok := s[i]; ok {
		return v
	}
	return r.table[i].Default
}

// put changes it.
func (r *Registers) put(s settings, i int, v Value) {
	if v == r.table[i].Default {
		delete(s, i)
	} else {
		s[i] = v
	}
}

// New is the table of a module that has just been powered on: the saved
// settings, and the defaults for the rest.
//
// The table is that of the profile; modules may share it.
func New(table []Register, p *profile.Profile, m Module, s Store) *Registers {
	r := &Registers{table: table, profile: p, module: m, store: s}
	r.PowerOn()
	return r
}

// PowerOn forgets what was set and not saved.
func (r *Registers) PowerOn() {
	r.toDefaults()
	r.load(r.store.Get())
	r.active = maps.Clone(r.set)
	r.pending = nil
	r.update = newUpdate()
}

func (r *Registers) toDefaults() {
	r.set = settings{}
}

// find returns the place of a command in the table.
func (r *Registers) find(name string) (int, error) {
	i, ok := slices.BinarySearchFunc(r.table, strings.ToUpper(name), func(reg Register, name string) int { return strings.Compare(reg.Name, name) })
	if !ok {
		return 0, fmt.Errorf("%w %q", ErrUnknown, name)
	}
	return i, nil
}

// Active is the value of a setting that counts now; the zero Value if the
// profile has no such setting.
func (r *Registers) Active(name string) Value {
	i, err := r.find(name)
	if err != nil {
		return Value{}
	}
	return r.get(r.active, i)
}

// Get reads a command without an argument: a setting as it was last set,
// applied or not, a state, or the answer to an order.
func (r *Registers) Get(name string) (Value, error) {
	i, err := r.find(name)
	if err != nil {
		return Value{}, err
	}
	switch r.table[i].Access {
	case Setting:
		return r.get(r.set, i), nil
	case Hidden:
		return Value{}, fmt.Errorf("%s: %w", r.table[i].Name, ErrHidden)
	case State:
		return r.state(r.table[i].Name)
	}
	return r.order(&r.table[i], Value{})
}

func (r *Registers) state(name string) (Value, error) {
	switch name {
	case "VR":
		return Int(uint64(r.profile.Firmware)), nil
	case "HV":
		return Int(uint64(r.profile.HardwareVersion.Value)), nil
	case "HS":
		return Int(uint64(r.profile.HardwareSeries.Value)), nil
	case "FI":
		return Int(r.update.status), nil
	case "CK":
		return Int(uint64(crc32.ChecksumIEEE(r.marshal()) & 0xFFFF)), nil
	}
	return r.module.ReadState(name)
}

func (r *Registers) order(reg *Register, arg Value) (Value, error) {
	arg, err := reg.argument(arg)
	if err != nil {
		return Value{}, err
	}
	switch reg.Name {
	case "AC":
		r.Apply()
	case "WR":
		err = r.store.Put(r.marshal())
	case "RE":
		r.toDefaults()
		r.pending = nil
		for _, reg := range r.table {
			if reg.Access.isSetting() {
				r.pending = append(r.pending, reg.Name)
			}
		}
	case "FO":
		return r.update.order(arg.bytes)
	default:
		return r.module.Obey(reg.Name, arg)
	}
	if err != nil {
		return Value{}, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return Value{}, nil
}

// Set gives a command a value. A setting counts when it is applied, but for
// those that count at once. An order is carried out and may answer.
func (r *Registers) Set(name string, v Value) (Value, error) {
	i, err := r.find(name)
	if err != nil {
		return Value{}, err
	}
	reg := &r.table[i]
	switch reg.Access {
	case State:
		return Value{}, fmt.Errorf("%s: %w: it can only be read", reg.Name, ErrValue)
	case Order:
		return r.order(reg, v)
	}
	if v, err = reg.accept(v); err != nil {
		return Value{}, err
	}
	r.put(r.set, i, v)
	if reg.Effect == AtOnce {
		r.put(r.active, i, v)
		r.module.Applied([]string{reg.Name})
	} else if !slices.Contains(r.pending, reg.Name) {
		r.pending = append(r.pending, reg.Name)
	}
	return Value{}, nil
}

// Apply makes every setting count.
func (r *Registers) Apply() {
	r.active = maps.Clone(r.set)
	if names := r.pending; len(names) > 0 {
		r.pending = nil
		slices.Sort(names)
		r.module.Applied(names)
	}
}

// Atcmd is Python's xbee.atcmd: with no value (the zero Value) it reads; a
// value it sets counts at once, and is lost at the next reset unless WR saves
// it. A name Python cannot reach is as unknown as one that does not exist;
// something that cannot be read back is nothing.
func (r *Registers) Atcmd(name string, v Value) (Value, error) {
	i, err := r.find(name)
	if err != nil {
		return Value{}, err
	}
	reg := &r.table[i]
	if reg.CommandModeOnly {
		return Value{}, fmt.Errorf("%w %q: only command mode has it", ErrUnknown, name)
	}
	if v.kind == None {
		v, err = r.Get(name)
		if errors.Is(err, ErrHidden) {
			err = nil
		}
		if reg.Name == "RE" && err == nil {
			r.Apply()
		}
		return v, err
	}
	answer, err := r.Set(name, v)
	if err == nil && reg.Access.isSetting() && reg.Effect == OnApply {
		r.put(r.active, i, r.get(r.set, i))
		r.pending = slices.DeleteFunc(r.pending, func(n string) bool { return n == reg.Name })
		r.module.Applied([]string{reg.Name})
	}
	return answer, err
}

// Command carries out one command of command mode, without its AT: "AP4",
// "AP", "NI My XBee". The answer is a value, or "OK" for what has none; the
// module's answer to any error is "ERROR".
func (r *Registers) Command(line string) (string, error) {
	if len(line) < 2 {
		return "", fmt.Errorf("%w %q", ErrUnknown, line)
	}
	i, err := r.find(line[:2])
	if err != nil {
		return "", err
	}
	reg := &r.table[i]
	var v Value
	if param := strings.TrimLeft(line[2:], " "); param == "" {
		v, err = r.Get(reg.Name)
	} else if v = Str(param); reg.Access.isSetting() {
		if v, err = reg.parse(param); err == nil {
			v, err = r.Set(reg.Name, v)
		}
	} else {
		v, err = r.Set(reg.Name, v)
	}
	if err != nil {
		return "", err
	}
	if v.kind == None && reg.Access != State {
		return "OK", nil
	}
	return v.String(), nil
}
