package check

import (
	"fmt"
	"path"
	"strings"

	"github.com/skep-sim/skep/internal/host/build"
)

// This file has the rules about files and their names on the module.

func shadowsMpy(r *run) {
	for i := range r.Files {
		f := &r.Files[i]
		ext := path.Ext(f.Path)
		stem := strings.ToLower(strings.TrimSuffix(f.Path, ext))
		if ext != ".py" && ext != ".mpy" || stem == "main" {
			continue
		}
		if py := r.files[stem+".py"]; py != nil && ext == ".mpy" {
			r.in(py.From, "import finds "+path.Base(stem)+".py before "+path.Base(stem)+".mpy, so the .mpy file is never used", "only one of them")
		}
		for _, first := range []string{".py", ".mpy"} {
			if name, ok := strings.CutPrefix(stem, "lib/"); ok && r.files[name+first] != nil {
				r.in(f.From, "import finds "+name+first+" before "+f.Path+", which is never used", "only one of them")
			}
		}
	}
}

func mainMpy(r *run) {
	if r.files["main.py"] != nil && r.files["main.mpy"] != nil {
		r.in(r.files["main.mpy"].From, "main.py runs, and main.mpy never does", "only main.py")
	}
}

func nameCase(r *run) {
	seen := map[string]string{}
	for i := range r.Files {
		f := &r.Files[i]
		lower := strings.ToLower(f.Path)
		if other, ok := seen[lower]; ok && other != f.Path {
			r.in(f.From, fmt.Sprintf("%s and %s are one file on the module, which takes no notice of case", other, f.Path), "another name for one of them")
		}
		seen[lower] = f.Path
	}
}

func fileName(r *run) {
	for i := range r.Files {
		f := &r.Files[i]
		on := f.Path
		if stem, ok := strings.CutSuffix(on, ".py"); ok && !r.App.Plain && on != "main.py" {
			on = stem + ".mpy" // what it becomes
		}
		if err := build.CheckName(on); err != nil {
			r.in(f.From, err.Error(), "")
		}
	}
}

func importCase(r *run) {
	r.each(func(m *module, f *function) {
		eachStmt(f.body, func(s *stmt) {
			for _, i := range s.imports {
				if strings.HasPrefix(i.module, ".") || r.byName[i.module] != nil || r.Firmware.Modules[i.module] != nil {
					continue
				}
				for name, other := range r.byName {
					if name != i.module && strings.EqualFold(name, i.module) {
						r.at(m, i.place, fmt.Sprintf("the file is %s: from the file system %s is found, from the bundle it is not", other.path, i.module), "import "+name)
					}
				}
			}
		})
	})
}

func shadowsBuiltin(r *run) {
	for _, m := range r.modules {
		top, _, _ := strings.Cut(m.name, ".")
		if m.path == "main.py" || r.Firmware.Modules[top] == nil || r.Firmware.Modules["u"+top] != nil && m.name == top {
			continue
		}
		r.at(m, place{}, fmt.Sprintf("it is never imported: %s has a module %s of its own, which comes first", r.Firmware.Name, top), "another name")
	}
}
