package main

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDebugDocs: the configurations of docs/debugging.md and what the extension for
// VS Code offers are such that skep debug can read them.
func TestDebugDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("docs/debugging.md has no launch.json")
	}
	var launch struct{ Configurations []json.RawMessage }
	if err := json.Unmarshal(m[1], &launch); err != nil || len(launch.Configurations) != 2 {
		t.Fatalf("launch.json: %v, %d configurations", err, len(launch.Configurations))
	}
	for _, c := range launch.Configurations {
		if _, err := parseLaunch(c); err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}

	raw, err := os.ReadFile("../../editors/vscode/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Contributes struct {
			Debuggers []struct {
				ConfigurationAttributes struct {
					Launch struct {
						Properties map[string]struct {
							Type, Description string
							Enum              []string
						}
					}
				}
				InitialConfigurations []json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(raw, &p); err != nil || len(p.Contributes.Debuggers) != 1 {
		t.Fatalf("package.json: %v", err)
	}
	d := p.Contributes.Debuggers[0]
	for _, c := range d.InitialConfigurations {
		if _, err := parseLaunch(c); err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}
	properties := d.ConfigurationAttributes.Launch.Properties
	if len(properties) < 15 {
		t.Errorf("only %d properties", len(properties))
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		about := properties[name]
		values := []any{"1"}
		switch {
		case len(about.Enum) > 0:
			values = nil
			for _, e := range about.Enum {
				values = append(values, e)
			}
		case about.Type == "boolean":
			values = []any{true, false}
		case about.Type == "number":
			values = []any{32768}
		}
		for _, v := range values {
			if _, err := parseLaunch(json.RawMessage(jsonText(map[string]any{name: v}))); err != nil {
				t.Errorf("%s: %v: %v", name, v, err)
			}
		}
		if about.Description == "" {
			t.Errorf("%s says nothing of itself", name)
		}
	}
}
