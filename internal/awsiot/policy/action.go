package policy

import (
	"fmt"
	"strings"
)

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
	GetPendingJobExecutions // the four of jobs are asked for over HTTPS only, too
	StartNextPendingJobExecution
	DescribeJobExecution
	UpdateJobExecution
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

	GetPendingJobExecutions:      {"iotjobsdata:GetPendingJobExecutions", "thing/"},
	StartNextPendingJobExecution: {"iotjobsdata:StartNextPendingJobExecution", "thing/"},
	DescribeJobExecution:         {"iotjobsdata:DescribeJobExecution", "thing/"},
	UpdateJobExecution:           {"iotjobsdata:UpdateJobExecution", "thing/"},
}

// actionLower has the names in lower case, as patterns of actions are compared.
var actionLower = func() (names [numActions]string) {
	for a := range numActions {
		names[a] = strings.ToLower(actionInfo[a].name)
	}
	return names
}()

// ParseAction finds an action by its name, with or without its service and in any case.
func ParseAction(name string) (Action, error) {
	low := strings.ToLower(name)
	var known []string
	for a := range numActions {
		_, bare, _ := strings.Cut(actionLower[a], ":")
		if actionLower[a] == low || bare == low {
			return a, nil
		}
		known = append(known, actionInfo[a].name)
	}
	return 0, fmt.Errorf("action %q is not one of the data plane: use %s", name, strings.Join(known, ", "))
}

// Name takes a resource apart that may be given as the name itself ("a/b"), with its kind
// ("topic/a/b") or as an ARN.
func (a Action) Name(resource string) (string, error) {
	kind := actionInfo[a].kind
	if strings.HasPrefix(resource, "arn:") {
		parts := strings.SplitN(resource, ":", 6)
		if len(parts) < 6 || parts[2] != "iot" {
			return "", fmt.Errorf("%q is not an ARN such as arn:aws:iot:us-east-1:123456789012:%sNAME", resource, kind)
		}
		if !strings.HasPrefix(parts[5], kind) {
			return "", fmt.Errorf("%s is about %sNAME, and the ARN names %s", a, kind, parts[5])
		}
		resource = parts[5]
	}
	return strings.TrimPrefix(resource, kind), nil
}

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
