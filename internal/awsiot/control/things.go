package control

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Thing is a thing as it is shown.
type Thing struct {
	Name         string            `json:"thingName"`
	Type         string            `json:"thingTypeName,omitempty"`
	Attributes   map[string]string `json:"attributes"`
	Version      int               `json:"version"`
	Created      string            `json:"creationDate,omitempty"`
	Certificates []string          `json:"certificates"` // ids of those attached
}

// ThingChange is what to make of a thing. Nil and empty values leave what is there.
type ThingChange struct {
	Name string
	Type string
	// NoType takes its type away.
	NoType bool
	// Attributes are set; one with an empty value is removed, as with AWS's merge.
	Attributes map[string]string
	// Replace drops the attributes that are not named.
	Replace bool
}

// CreateThing makes a thing. One of that name that is the same already is no error, as at AWS.
func (c *Control) CreateThing(q ThingChange) (t Thing, err error) {
	err = c.State.Exclusive(func() error {
		if !thingName.MatchString(q.Name) {
			return fmt.Errorf("thing name %q: use 1 to 128 characters of A-Z a-z 0-9 : _ -", q.Name)
		}
		made := store.Thing{Name: q.Name, Created: c.now(), Version: 1}
		if err := c.change(&made, q); err != nil {
			return err
		}
		if old := c.State.Thing(q.Name); old != nil {
			if old.Type == made.Type && maps.Equal(old.Attributes, made.Attributes) {
				t = c.thing(old)
				return nil
			}
			return fmt.Errorf("thing %q is there already, with another type or other attributes: change it with skep cloud thing update", q.Name)
		}
		if err := c.State.PutThing(made); err != nil {
			return err
		}
		t = c.thing(c.State.Thing(q.Name))
		return nil
	})
	return t, err
}

// UpdateThing changes a thing's type and attributes.
func (c *Control) UpdateThing(q ThingChange) (t Thing, err error) {
	err = c.State.Exclusive(func() error {
		old, err := c.findThing(q.Name)
		if err != nil {
			return err
		}
		made := *old
		made.Version = max(made.Version, 1) + 1
		if err := c.change(&made, q); err != nil {
			return err
		}
		if err := c.State.PutThing(made); err != nil {
			return err
		}
		t = c.thing(c.State.Thing(q.Name))
		return nil
	})
	return t, err
}

// change applies q to t, which is a copy.
func (c *Control) change(t *store.Thing, q ThingChange) error {
	switch {
	case q.Type != "" && q.NoType:
		return fmt.Errorf("give a type or take it away, not both")
	case q.NoType:
		t.Type = ""
	case q.Type != "":
		if err := c.typeFor(q.Type); err != nil {
			return err
		}
		t.Type = q.Type
	}
	all := map[string]string{}
	if !q.Replace {
		maps.Copy(all, t.Attributes)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Attributes)) {
		value := q.Attributes[name]
		switch {
		case !attributeName.MatchString(name):
			return fmt.Errorf("attribute name %q: use 1 to 128 characters of A-Z a-z 0-9 _ . , @ / : # = [ ] -", name)
		case !attributeText.MatchString(value):
			return fmt.Errorf("the value of attribute %s, %q: use A-Z a-z 0-9 _ . , @ / : # = [ ] -", name, value)
		case len(value) > maxAttributeValue:
			return fmt.Errorf("the value of attribute %s has %d characters, the limit is %d", name, len(value), maxAttributeValue)
		case value == "":
			delete(all, name)
		default:
			all[name] = value
		}
	}
	limit := maxAttributes
	if t.Type == "" {
		limit = maxAttributesNoType
	}
	if len(all) > limit {
		return fmt.Errorf("thing %q would have %d attributes; AWS IoT takes %d without a thing type, %d with one", t.Name, len(all), maxAttributesNoType, maxAttributes)
	}
	t.Attributes = all
	return nil
}

// typeFor says whether a thing can get a type.
func (c *Control) typeFor(name string) error {
	switch t := c.State.ThingType(name); {
	case t == nil:
		return fmt.Errorf("there is no thing type %q: make it with skep cloud type create %s", name, name)
	case t.Deprecated != 0:
		return fmt.Errorf("thing type %q is deprecated: no thing gets it any more", name)
	}
	return nil
}

// Things shows all things.
func (c *Control) Things() []Thing {
	out := []Thing{}
	for _, t := range c.State.Things() {
		out = append(out, c.thing(t))
	}
	return out
}

// Thing shows a thing.
func (c *Control) Thing(name string) (Thing, error) {
	t, err := c.findThing(name)
	if err != nil {
		return Thing{}, err
	}
	return c.thing(t), nil
}

func (c *Control) findThing(name string) (*store.Thing, error) {
	if t := c.State.Thing(name); t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("there is no thing %q; skep cloud thing list shows all", name)
}

func (c *Control) thing(t *store.Thing) Thing {
	out := Thing{
		Name: t.Name, Type: t.Type, Attributes: t.Attributes, Version: max(t.Version, 1), Created: stamp(t.Created),
		Certificates: []string{},
	}
	if out.Attributes == nil {
		out.Attributes = map[string]string{}
	}
	for _, cert := range c.State.Certificates() {
		if slices.Contains(cert.Things, t.Name) {
			out.Certificates = append(out.Certificates, cert.ID)
		}
	}
	return out
}

// DeleteThing removes a thing that no certificate is attached to. Its shadow stays.
func (c *Control) DeleteThing(name string) error {
	return c.State.Exclusive(func() error {
		t, err := c.findThing(name)
		if err != nil {
			return err
		}
		if certs := c.thing(t).Certificates; len(certs) > 0 {
			return fmt.Errorf("certificate %s is attached to thing %q: detach it first, with skep cloud cert detach %.10s --thing %s", short(certs[0]), name, certs[0], name)
		}
		return c.State.DeleteThing(name)
	})
}

// ThingType is a type as it is shown.
type ThingType struct {
	Name        string   `json:"thingTypeName"`
	Description string   `json:"thingTypeDescription,omitempty"`
	Searchable  []string `json:"searchableAttributes"`
	Deprecated  bool     `json:"deprecated"`
	Created     string   `json:"creationDate,omitempty"`
	Things      []string `json:"things"`
}

// CreateType makes a thing type.
func (c *Control) CreateType(name, description string, searchable []string) (ThingType, error) {
	err := c.State.Exclusive(func() error {
		switch {
		case !thingName.MatchString(name):
			return fmt.Errorf("thing type name %q: use 1 to 128 characters of A-Z a-z 0-9 : _ -", name)
		case len(searchable) > maxSearchable:
			return fmt.Errorf("%d searchable attributes; AWS IoT takes %d", len(searchable), maxSearchable)
		case c.State.ThingType(name) != nil:
			return fmt.Errorf("thing type %q is there already", name)
		}
		return c.State.PutThingType(store.ThingType{Name: name, Description: description, Searchable: searchable, Created: c.now()})
	})
	if err != nil {
		return ThingType{}, err
	}
	return c.Type(name)
}

// Types shows all thing types, those included that a thing has but nobody created.
func (c *Control) Types() []ThingType {
	out := []ThingType{}
	for _, t := range c.State.ThingTypes() {
		out = append(out, c.thingType(t))
	}
	return out
}

// Type shows a thing type.
func (c *Control) Type(name string) (ThingType, error) {
	t := c.State.ThingType(name)
	if t == nil {
		return ThingType{}, fmt.Errorf("there is no thing type %q; skep cloud type list shows all", name)
	}
	return c.thingType(t), nil
}

func (c *Control) thingType(t *store.ThingType) ThingType {
	out := ThingType{
		Name: t.Name, Description: t.Description, Searchable: append([]string{}, t.Searchable...),
		Deprecated: t.Deprecated != 0, Created: stamp(t.Created), Things: []string{},
	}
	for _, thing := range c.State.Things() {
		if thing.Type == t.Name {
			out.Things = append(out.Things, thing.Name)
		}
	}
	return out
}

// DeprecateType keeps a type from being given to further things, or with undo allows it again.
func (c *Control) DeprecateType(name string, undo bool) error {
	return c.State.Exclusive(func() error {
		if _, err := c.Type(name); err != nil {
			return err
		}
		t := *c.State.ThingType(name)
		switch {
		case undo:
			t.Deprecated = 0
		case t.Deprecated == 0:
			t.Deprecated = c.now()
		}
		return c.State.PutThingType(t)
	})
}

// deprecatedFor is how long a type must have been deprecated before it can be deleted (API
// Reference, DeleteThingType).
const deprecatedFor = 5 * time.Minute

// DeleteType removes a deprecated type that no thing has.
func (c *Control) DeleteType(name string) error {
	return c.State.Exclusive(func() error {
		shown, err := c.Type(name)
		if err != nil {
			return err
		}
		t := c.State.ThingType(name)
		switch wait := deprecatedFor - time.Duration(c.now()-t.Deprecated)*time.Second; {
		case len(shown.Things) > 0:
			return fmt.Errorf("thing %q has type %q: give it another first, with skep cloud thing update", shown.Things[0], name)
		case t.Deprecated == 0:
			return fmt.Errorf("thing type %q must be deprecated first, and 5 minutes go by, as at AWS: skep cloud type deprecate %s", name, name)
		case wait > 0:
			return fmt.Errorf("thing type %q was deprecated less than 5 minutes ago: as at AWS it can be deleted in %v", name, wait)
		}
		return c.State.DeleteThingType(name)
	})
}
