package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxDocumentSize is the largest policy document AWS IoT Core takes, in characters without
// white space (AWS service quotas: "Maximum policy document size").
const MaxDocumentSize = 2048

// The two versions of the policy language. In the older one, and in a document without a
// Version, `${...}` is not a variable but plain text.
const (
	version2012 = "2012-10-17"
	version2008 = "2008-10-17"
)

// Document is a parsed policy. It does not change after Parse and may be shared.
type Document struct {
	// Name is the policy's name, for messages; Parse takes it from its caller.
	Name       string
	Version    string
	ID         string
	Statements []Statement
}

// Statement is one rule of a document.
type Statement struct {
	Sid   string
	Allow bool
	// Actions are the patterns of Action, or of NotAction when NotAction is set.
	Actions   []string
	NotAction bool
	// Resources are the patterns of Resource, or of NotResource when NotResource is set.
	Resources   []string
	NotResource bool
	Conditions  []Condition

	actions   []template
	resources []template
	index     int
	document  *Document
}

// Condition is one key under one operator of a statement's Condition; all of them must hold.
type Condition struct {
	Operator string // as written, such as "ForAnyValue:StringLike"
	Key      string
	Values   []string

	op     operator
	values []template
}

// Where names the statement for a person: policy, position, Sid.
func (s *Statement) Where() string {
	where := fmt.Sprintf("policy %q, statement %d", s.document.Name, s.index+1)
	if s.Sid != "" {
		where += fmt.Sprintf(" (Sid %q)", s.Sid)
	}
	return where
}

// Parse reads a policy document. The error names the statement and element that is wrong.
func Parse(name string, text []byte) (*Document, error) {
	fail := func(format string, args ...any) (*Document, error) {
		return nil, fmt.Errorf("policy %q: %s", name, fmt.Sprintf(format, args...))
	}
	if !utf8.Valid(text) {
		return fail("the document is not UTF-8")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return fail("the document is not JSON: %v", err)
	}
	if n := utf8.RuneCount(compact.Bytes()); n > MaxDocumentSize {
		return fail("the document has %d characters without white space; AWS IoT takes %d: split it into several policies", n, MaxDocumentSize)
	}
	top, err := object(text, "Version", "Id", "Statement")
	if err != nil {
		return fail("%v", err)
	}
	doc := &Document{Name: name, Version: version2008}
	if raw, ok := top["Version"]; ok {
		if err := json.Unmarshal(raw, &doc.Version); err != nil {
			return fail("Version must be a string")
		}
		if doc.Version != version2012 && doc.Version != version2008 {
			return fail("Version %q is not known: write %q", doc.Version, version2012)
		}
	}
	if raw, ok := top["Id"]; ok {
		if err := json.Unmarshal(raw, &doc.ID); err != nil {
			return fail("Id must be a string")
		}
	}
	raw, ok := top["Statement"]
	if !ok {
		return fail("Statement is missing")
	}
	var list []json.RawMessage
	if raw[0] == '{' {
		list = []json.RawMessage{raw}
	} else if err := json.Unmarshal(raw, &list); err != nil {
		return fail("Statement must be an object or a list of objects")
	}
	if len(list) == 0 {
		return fail("Statement is empty: a policy needs at least one")
	}
	doc.Statements = make([]Statement, len(list))
	for i, raw := range list {
		s := &doc.Statements[i]
		s.index, s.document = i, doc
		if err := s.parse(raw, doc.Version == version2012); err != nil {
			return fail("statement %d: %v", i+1, err)
		}
	}
	return doc, nil
}

func (s *Statement) parse(raw json.RawMessage, variables bool) error {
	m, err := object(raw, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return err
	}
	if raw, ok := m["Sid"]; ok {
		if err := json.Unmarshal(raw, &s.Sid); err != nil {
			return errors.New("member Sid must be a string")
		}
	}
	var effect string
	if raw, ok := m["Effect"]; !ok || json.Unmarshal(raw, &effect) != nil || effect != "Allow" && effect != "Deny" {
		return errors.New(`member Effect must be "Allow" or "Deny"`)
	}
	s.Allow = effect == "Allow"
	if s.Actions, s.NotAction, err = either(m, "Action", "NotAction"); err != nil {
		return err
	}
	if s.Resources, s.NotResource, err = either(m, "Resource", "NotResource"); err != nil {
		return err
	}
	for _, a := range s.Actions {
		if a != "*" && !strings.Contains(a, ":") {
			return fmt.Errorf(`action %q has no service: write "iot:%s"`, a, a)
		}
		t, err := parseTemplate(strings.ToLower(a), false, true)
		if err != nil {
			return fmt.Errorf("action %q: %w", a, err)
		}
		s.actions = append(s.actions, t)
	}
	for _, r := range s.Resources {
		if r != "*" && !strings.HasPrefix(r, "arn:") {
			return fmt.Errorf(`resource %q is neither "*" nor an ARN such as "arn:aws:iot:us-east-1:123456789012:topic/a/b"`, r)
		}
		t, err := parseTemplate(r, variables, true)
		if err != nil {
			return fmt.Errorf("resource %q: %w", r, err)
		}
		s.resources = append(s.resources, t)
	}
	if raw, ok := m["Condition"]; ok {
		return s.parseConditions(raw, variables)
	}
	return nil
}

func (s *Statement) parseConditions(raw json.RawMessage, variables bool) error {
	var blocks map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &blocks); err != nil {
		return errors.New(`Condition must look like {"StringEquals": {"iot:ClientId": "value"}}`)
	}
	for _, opName := range slices.Sorted(maps.Keys(blocks)) {
		op, err := parseOperator(opName)
		if err != nil {
			return err
		}
		block := blocks[opName]
		for _, key := range slices.Sorted(maps.Keys(block)) {
			values, err := stringList(block[key])
			if err != nil {
				return fmt.Errorf("condition %s %s: %w", opName, key, err)
			}
			c := Condition{Operator: opName, Key: key, Values: values, op: op}
			for _, v := range values {
				t, err := parseTemplate(v, variables, op.takesPatterns())
				if err != nil {
					return fmt.Errorf("condition %s %s: %w", opName, key, err)
				}
				if err := op.checkValue(v, variables); err != nil {
					return fmt.Errorf("condition %s %s: %w", opName, key, err)
				}
				c.values = append(c.values, t)
			}
			s.Conditions = append(s.Conditions, c)
		}
	}
	return nil
}

// either reads the one of two exclusive elements that is there.
func either(m map[string]json.RawMessage, yes, no string) (list []string, negated bool, err error) {
	rawYes, hasYes := m[yes]
	rawNo, hasNo := m[no]
	if hasYes == hasNo {
		return nil, false, fmt.Errorf("exactly one of %s and %s must be there", yes, no)
	}
	raw, name := rawYes, yes
	if hasNo {
		raw, name = rawNo, no
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && raw[0] == '"' {
		return []string{one}, hasNo, nil
	}
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return nil, false, fmt.Errorf("%s must be a string or a list of strings", name)
	}
	return list, hasNo, nil
}

// stringList reads a condition's value: a string, number or boolean, or a list of them.
func stringList(raw json.RawMessage) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil, errors.New("the list of values is empty")
	}
	var out []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case json.Number:
			out = append(out, v.String())
		case bool:
			out = append(out, fmt.Sprint(v))
		default:
			return nil, errors.New("a value must be a string, a number or a boolean")
		}
	}
	return out, nil
}

// object reads a JSON object that may only have the given keys, spelled exactly so.
func object(raw json.RawMessage, keys ...string) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		return nil, errors.New("must be a JSON object")
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(keys, k) {
			return nil, fmt.Errorf("element %q is not known here; known are %s", k, strings.Join(keys, ", "))
		}
	}
	return m, nil
}
