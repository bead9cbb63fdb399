package policy

import "strings"

// Action is an operation of AWS IoT Core's data plane that a policy allows or denies.
type Action uint8

// The data plane's actions. The shadow actions are asked for over HTTPS only; over MQTT the
// topics are what is checked.
const (
	Connect Action = iota
	Publish
	Subscribe
	Receive
	RetainPublish
	GetThingShadow
	UpdateThingShadow
	DeleteThingShadow
	ListNamedShadowsForThing
	GetRetainedMessage
	ListRetainedMessages
	GetConnection
	DeleteConnection
	ListSubscriptions
	SendDirectMessage
	numActions
)

// actionInfo is what a policy document calls an action, and the kind of resource it is about.
var actionInfo = [numActions]struct{ name, kind string }{
	Connect:                  {"iot:Connect", "client/"},
	Publish:                  {"iot:Publish", "topic/"},
	Subscribe:                {"iot:Subscribe", "topicfilter/"},
	Receive:                  {"iot:Receive", "topic/"},
	RetainPublish:            {"iot:RetainPublish", "topic/"},
	GetThingShadow:           {"iot:GetThingShadow", "thing/"},
	UpdateThingShadow:        {"iot:UpdateThingShadow", "thing/"},
	DeleteThingShadow:        {"iot:DeleteThingShadow", "thing/"},
	ListNamedShadowsForThing: {"iot:ListNamedShadowsForThing", "thing/"},
	GetRetainedMessage:       {"iot:GetRetainedMessage", "topic/"},
	ListRetainedMessages:     {"iot:ListRetainedMessages", ""},
	GetConnection:            {"iot:GetConnection", "client/"},
	DeleteConnection:         {"iot:DeleteConnection", "client/"},
	ListSubscriptions:        {"iot:ListSubscriptions", "client/"},
	SendDirectMessage:        {"iot:SendDirectMessage", "client/"},
}

// actionLower has the names in lower case, as patterns of actions are compared.
var actionLower = func() (names [numActions]string) {
	for a := range numActions {
		names[a] = strings.ToLower(actionInfo[a].name)
	}
	return names
}()

// String is the action's name in a policy document, such as "iot:Publish".
func (a Action) String() string {
	if a >= numActions {
		return "iot:?"
	}
	return actionInfo[a].name
}

// Resource is how a policy names the thing acted on, without region and account:
// "topic/a/b" for Publish on a/b. ListRetainedMessages has no resource: "*".
func (a Action) Resource(name string) string {
	if a == ListRetainedMessages {
		return "*"
	}
	return actionInfo[a].kind + name
}

// equalFold compares ASCII names without regard to case.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
