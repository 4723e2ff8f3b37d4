package wire

import "encoding/json"

// The contents of requests. NewContent sets the protocol's defaults of fields that
// a front end may omit.

type (
	KernelInfoRequest struct{}

	// UsageRequest asks for the kernel's use of memory and processors. It is an
	// extension by ipykernel.
	UsageRequest struct{}

	ExecuteRequest struct {
		Code            *string           `json:"code"` // required
		Silent          bool              `json:"silent"`
		StoreHistory    bool              `json:"store_history"`
		UserExpressions map[string]string `json:"user_expressions"`
		AllowStdin      bool              `json:"allow_stdin"`
		StopOnError     bool              `json:"stop_on_error"`
	}

	CompleteRequest struct {
		Code      *string `json:"code"`       // required
		CursorPos *int    `json:"cursor_pos"` // offset in Unicode code points; the default is the end of Code
	}

	InspectRequest struct {
		Code        *string `json:"code"`       // required
		CursorPos   *int    `json:"cursor_pos"` // offset in Unicode code points; the default is the end of Code
		DetailLevel int     `json:"detail_level"`
	}

	IsCompleteRequest struct {
		Code *string `json:"code"` // required
	}

	HistoryRequest struct {
		Output         bool   `json:"output"`
		Raw            bool   `json:"raw"`
		HistAccessType string `json:"hist_access_type"` // "tail", "range" or "search"
		Session        int    `json:"session"`
		Start          int    `json:"start"`
		Stop           *int   `json:"stop"` // the range ends before this line; the default is the end
		N              *int   `json:"n"`
		Pattern        string `json:"pattern"`
		Unique         bool   `json:"unique"`
	}

	CommInfoRequest struct {
		TargetName string `json:"target_name,omitempty"`
	}

	CommOpen struct {
		CommID       string          `json:"comm_id"`
		TargetName   string          `json:"target_name"`
		TargetModule string          `json:"target_module,omitempty"`
		Data         json.RawMessage `json:"data"`
	}

	CommMsg struct {
		CommID string          `json:"comm_id"`
		Data   json.RawMessage `json:"data"`
	}

	CommClose struct {
		CommID string          `json:"comm_id"`
		Data   json.RawMessage `json:"data"`
	}

	ShutdownRequest struct {
		Restart bool `json:"restart"`
	}

	InterruptRequest struct{}

	CreateSubshellRequest struct{}

	DeleteSubshellRequest struct {
		SubshellID string `json:"subshell_id"`
	}

	ListSubshellRequest struct{}

	// DebugRequest contains a message of the Debug Adapter Protocol.
	DebugRequest struct {
		Seq       int             `json:"seq"`
		Type      string          `json:"type"`
		Command   string          `json:"command"`
		Arguments json.RawMessage `json:"arguments,omitempty"`
	}

	InputReply struct {
		Value string `json:"value"`
	}
)

func (KernelInfoRequest) MsgType() string     { return "kernel_info_request" }
func (UsageRequest) MsgType() string          { return "usage_request" }
func (ExecuteRequest) MsgType() string        { return "execute_request" }
func (CompleteRequest) MsgType() string       { return "complete_request" }
func (InspectRequest) MsgType() string        { return "inspect_request" }
func (IsCompleteRequest) MsgType() string     { return "is_complete_request" }
func (HistoryRequest) MsgType() string        { return "history_request" }
func (CommInfoRequest) MsgType() string       { return "comm_info_request" }
func (CommOpen) MsgType() string              { return "comm_open" }
func (CommMsg) MsgType() string               { return "comm_msg" }
func (CommClose) MsgType() string             { return "comm_close" }
func (ShutdownRequest) MsgType() string       { return "shutdown_request" }
func (InterruptRequest) MsgType() string      { return "interrupt_request" }
func (CreateSubshellRequest) MsgType() string { return "create_subshell_request" }
func (DeleteSubshellRequest) MsgType() string { return "delete_subshell_request" }
func (ListSubshellRequest) MsgType() string   { return "list_subshell_request" }
func (DebugRequest) MsgType() string          { return "debug_request" }
func (InputReply) MsgType() string            { return "input_reply" }
