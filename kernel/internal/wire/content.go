package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrUnknownType is the error for a message type that NewContent does not know.
var ErrUnknownType = errors.New("wire: the message type is unknown")

// A validator is a Content with required fields.
type validator interface{ validate() error }

// NewContent returns a pointer to a content for a request type. The content has the protocol's defaults. NewContent
// returns nil for an unknown type.
func NewContent(msgType string) Content {
	switch msgType {
	case "kernel_info_request":
		return &KernelInfoRequest{}
	case "usage_request":
		return &UsageRequest{}
	case "execute_request":
		return &ExecuteRequest{StoreHistory: true, StopOnError: true}
	case "complete_request":
		return &CompleteRequest{}
	case "inspect_request":
		return &InspectRequest{}
	case "is_complete_request":
		return &IsCompleteRequest{}
	case "history_request":
		return &HistoryRequest{Raw: true}
	case "comm_info_request":
		return &CommInfoRequest{}
	case "comm_open":
		return &CommOpen{}
	case "comm_msg":
		return &CommMsg{}
	case "comm_close":
		return &CommClose{}
	case "shutdown_request":
		return &ShutdownRequest{}
	case "interrupt_request":
		return &InterruptRequest{}
	case "create_subshell_request":
		return &CreateSubshellRequest{}
	case "delete_subshell_request":
		return &DeleteSubshellRequest{}
	case "list_subshell_request":
		return &ListSubshellRequest{}
	case "debug_request":
		return &DebugRequest{}
	case "input_reply":
		return &InputReply{}
	}
	return nil
}

// DecodeContent decodes the content of a request into its type. Missing fields get the protocol's defaults. The error
// names the field that is missing or wrong.
func (m *Message) DecodeContent() (Content, error) {
	c := NewContent(m.Header.MsgType)
	if c == nil {
		return nil, fmt.Errorf("%w: %q", ErrUnknownType, m.Header.MsgType)
	}
	if err := json.Unmarshal(m.Content, c); err != nil {
		return nil, fmt.Errorf("the content of %s is invalid: %w", m.Header.MsgType, err)
	}
	if v, ok := c.(validator); ok {
		if err := v.validate(); err != nil {
			return nil, fmt.Errorf("the content of %s is invalid: %w", m.Header.MsgType, err)
		}
	}
	return c, nil
}

// ReplyType returns the type of the reply to a request type, or "" for messages
// that have none.
func ReplyType(requestType string) string {
	if base, ok := strings.CutSuffix(requestType, "_request"); ok {
		return base + "_reply"
	}
	return ""
}

func missing(field string, present bool) error {
	if present {
		return nil
	}
	return fmt.Errorf("the field %q is missing", field)
}

func (r *ExecuteRequest) validate() error    { return missing("code", r.Code != nil) }
func (r *CompleteRequest) validate() error   { return missing("code", r.Code != nil) }
func (r *InspectRequest) validate() error    { return missing("code", r.Code != nil) }
func (r *IsCompleteRequest) validate() error { return missing("code", r.Code != nil) }
func (r *CommOpen) validate() error          { return missing("comm_id", r.CommID != "") }
func (r *CommMsg) validate() error           { return missing("comm_id", r.CommID != "") }
func (r *CommClose) validate() error         { return missing("comm_id", r.CommID != "") }
func (r *DeleteSubshellRequest) validate() error {
	return missing("subshell_id", r.SubshellID != "")
}
