package profile

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestEveryFactHasASource(t *testing.T) {
	for _, p := range All() {
		facts, v := 0, reflect.ValueOf(p)
		for i := range v.NumField() {
			f := v.Field(i)
			if f.Kind() != reflect.Struct {
				continue
			}
			facts++
			if f.FieldByName("Source").String() == "" || f.FieldByName("Confidence").String() == "" {
				t.Errorf("%s: %s = %v has no source", p.Name, v.Type().Field(i).Name, f.FieldByName("Value"))
			}
		}
		if facts < 30 {
			t.Errorf("%s: only %d facts", p.Name, facts)
		}
		if want := fmt.Sprintf("%s-%x", p.Model, p.Firmware); p.Name != want {
			t.Errorf("%s should be called %s", p.Name, want)
		}
	}
}

func TestFind(t *testing.T) {
	tests := []struct{ model, firmware, want string }{
		{"", "", "ltem-11413"},
		{"ltem", "", "ltem-11413"},
		{"ltem", "11413", "ltem-11413"},
		{"cat1", "", "cat1-31011"},
		{"cat1", "31011", "cat1-31011"},
	}
	for _, tt := range tests {
		if p, err := Find(tt.model, tt.firmware); err != nil || p.Name != tt.want {
			t.Errorf("Find(%q, %q) = %s, %v, want %s", tt.model, tt.firmware, p.Name, err, tt.want)
		}
	}
	if _, err := Find("ltem", "31011"); err == nil || !strings.Contains(err.Error(), "11413") {
		t.Errorf("the firmware of another model: %v", err)
	}
	if _, err := Find("zigbee", ""); err == nil || !strings.Contains(err.Error(), "cat1") {
		t.Errorf("an unknown model: %v", err)
	}
}

func TestLevelAndBanner(t *testing.T) {
	p, err := Find("ltem", "")
	if err != nil {
		t.Fatal(err)
	}
	if p.Level() != 0x13 {
		t.Errorf("level %#x", p.Level())
	}
	if want := "MicroPython v1.11-2-g0000000 on 2019-09-20; XBC3 LTE-M/NB-IoT with EFR32MG"; p.Banner() != want {
		t.Errorf("banner %q", p.Banner())
	}
}
