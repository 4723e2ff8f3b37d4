package control

import (
	"encoding/json"
	"fmt"
)

// A Message is the content of a frame: a value of one of the types in
// requests.go, which the kernel sends, or events.go, which the worker process sends.
type Message interface {
	// kind names the type in a frame.
	kind() string
}

// decode decodes the body of a message of a kind.
func decode(kind string, body []byte) (Message, error) {
	switch kind {
	case "run":
		return decodeAs[Run](body)
	case "setup":
		return decodeAs[Setup](body)
	case "reload":
		return decodeAs[Reload](body)
	case "drop":
		return decodeAs[Drop](body)
	case "list_dropped":
		return decodeAs[ListDropped](body)
	case "list_goroutines":
		return decodeAs[ListGoroutines](body)
	case "interrupt":
		return decodeAs[Interrupt](body)
	case "drop_standby":
		return decodeAs[DropStandby](body)
	case "ack":
		return decodeAs[Ack](body)
	case "input_reply":
		return decodeAs[InputReply](body)
	case "comm":
		return decodeAs[Comm](body)
	case "ready":
		return decodeAs[Ready](body)
	case "loaded":
		return decodeAs[Loaded](body)
	case "load_failed":
		return decodeAs[LoadFailed](body)
	case "done":
		return decodeAs[Done](body)
	case "setup_reply":
		return decodeAs[SetupReply](body)
	case "reload_reply":
		return decodeAs[ReloadReply](body)
	case "dropped_list":
		return decodeAs[DroppedList](body)
	case "goroutine_list":
		return decodeAs[GoroutineList](body)
	case "display":
		return decodeAs[Display](body)
	case "result":
		return decodeAs[Result](body)
	case "print":
		return decodeAs[Print](body)
	case "notice":
		return decodeAs[Notice](body)
	case "input_request":
		return decodeAs[InputRequest](body)
	case "goroutine_panic":
		return decodeAs[GoroutinePanic](body)
	case "pendingStops":
		return decodeAs[PendingStops](body)
	case "standby":
		return decodeAs[Standby](body)
	}
	return nil, fmt.Errorf("the message has the unknown kind %.40q", kind)
}

func decodeAs[T Message](body []byte) (Message, error) {
	var m T
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("cannot decode the content of a message of the kind %q: %w", m.kind(), err)
	}
	return m, nil
}
