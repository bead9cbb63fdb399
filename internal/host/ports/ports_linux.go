package ports

import (
	"os"
	"path/filepath"
	"strings"
)

// system lists what the kernel has. A port without a driver behind it is only a
// name: the ttyS that most machines have and that lead nowhere.
func system() ([]Port, error) { return sysfs("/sys/class/tty", "/dev") }

func sysfs(class, dev string) ([]Port, error) {
	entries, err := os.ReadDir(class)
	if err != nil {
		return nil, err
	}
	var all []Port
	for _, e := range entries {
		device := filepath.Join(class, e.Name(), "device")
		driver, err := os.Readlink(filepath.Join(device, "driver"))
		if err != nil || filepath.Base(driver) == "serial8250" || filepath.Base(driver) == "port" {
			continue
		}
		p := Port{Name: filepath.Join(dev, e.Name())}
		// The adapter is some directories above its port.
		dir, err := filepath.EvalSymlinks(device)
		for range 4 {
			if err != nil || p.VID != "" {
				break
			}
			if vid := attribute(dir, "idVendor"); vid != "" {
				p.VID, p.PID = vid, attribute(dir, "idProduct")
				p.Serial, p.Product = attribute(dir, "serial"), attribute(dir, "product")
			}
			dir = filepath.Dir(dir)
		}
		all = append(all, p)
	}
	return all, nil
}

func attribute(dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
