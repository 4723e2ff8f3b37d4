package wire

import (
	"encoding/json"

	"github.com/perijove/perijove/kernel/internal/output"
)

// Values of a reply's status.
const (
	StatusOK      = "ok"
	StatusError   = "error"
	StatusAborted = "aborted"
)

type (
	// Status is the first field of every reply.
	Status struct {
		Status string `json:"status"`
	}

	// Failure replaces the content of any reply whose request failed.
	Failure struct {
		ReplyType string   `json:"-"`
		Status    string   `json:"status"`
		EName     string   `json:"ename"`
		EValue    string   `json:"evalue"`
		Traceback []string `json:"traceback"`
	}

	KernelInfoReply struct {
		Status
		ProtocolVersion       string       `json:"protocol_version"`
		Implementation        string       `json:"implementation"`
		ImplementationVersion string       `json:"implementation_version"`
		LanguageInfo          LanguageInfo `json:"language_info"`
		Banner                string       `json:"banner"`
		Debugger              bool         `json:"debugger"`
		HelpLinks             []HelpLink   `json:"help_links"`
		SupportedFeatures     []string     `json:"supported_features"`
	}

	LanguageInfo struct {
		Name           string `json:"name"`
		Version        string `json:"version"`
		MIMEType       string `json:"mimetype"`
		FileExtension  string `json:"file_extension"`
		PygmentsLexer  string `json:"pygments_lexer"`
		CodemirrorMode string `json:"codemirror_mode"`
	}

	HelpLink struct {
		Text string `json:"text"`
		URL  string `json:"url"`
	}

	ExecuteReply struct {
		Status
		ExecutionCount  int                       `json:"execution_count"`
		Payload         []any                     `json:"payload"`
		UserExpressions map[string]UserExpression `json:"user_expressions"`
	}

	// ExecuteFailure is an execute_reply whose status is "error".
	ExecuteFailure struct {
		Status
		ExecutionCount  int                       `json:"execution_count"`
		EName           string                    `json:"ename"`
		EValue          string                    `json:"evalue"`
		Traceback       []string                  `json:"traceback"`
		Payload         []any                     `json:"payload"`
		UserExpressions map[string]UserExpression `json:"user_expressions"`
	}

	// ExecuteAborted is the execute_reply for a cell that did not run because an
	// earlier cell failed.
	ExecuteAborted struct {
		Status
	}

	// ExecuteMeta is the metadata of every execute_reply. JupyterLab's cell
	// timing reads Started.
	ExecuteMeta struct {
		Started         string `json:"started"`
		DependenciesMet bool   `json:"dependencies_met"`
		Engine          string `json:"engine"`
		Status          string `json:"status"`
	}

	// SetNextInput is a payload that asks the front end to put text into a new cell, or to
	// replace the text of the executed cell.
	SetNextInput struct {
		Source  string `json:"source"` // always "set_next_input"
		Text    string `json:"text"`
		Replace bool   `json:"replace"`
	}

	// Page is a payload that asks the front end to show text in its pager.
	Page struct {
		Source string        `json:"source"` // always "page"
		Data   output.Bundle `json:"data"`
		Start  int           `json:"start"` // index of the first line to show
	}

	UserExpression struct {
		Status    string         `json:"status"`
		Data      output.Bundle  `json:"data,omitempty"`
		Metadata  map[string]any `json:"metadata,omitempty"`
		EName     string         `json:"ename,omitempty"`
		EValue    string         `json:"evalue,omitempty"`
		Traceback []string       `json:"traceback,omitempty"`
	}

	CompleteReply struct {
		Status
		Matches     []string         `json:"matches"`
		CursorStart int              `json:"cursor_start"`
		CursorEnd   int              `json:"cursor_end"`
		Metadata    CompleteMetadata `json:"metadata"`
	}

	CompleteMetadata struct {
		Types []CompletionType `json:"_jupyter_types_experimental,omitempty"`
	}

	CompletionType struct {
		Start     int    `json:"start"`
		End       int    `json:"end"`
		Text      string `json:"text"`
		Type      string `json:"type"`
		Signature string `json:"signature,omitempty"`
	}

	InspectReply struct {
		Status
		Found    bool           `json:"found"`
		Data     output.Bundle  `json:"data"`
		Metadata map[string]any `json:"metadata"`
	}

	IsCompleteReply struct {
		Status string `json:"status"` // "complete", "incomplete", "invalid" or "unknown"
		Indent string `json:"indent"`
	}

	HistoryReply struct {
		Status
		History []HistoryItem `json:"history"`
	}

	CommInfoReply struct {
		Status
		Comms map[string]CommTarget `json:"comms"`
	}

	CommTarget struct {
		TargetName string `json:"target_name"`
	}

	ShutdownReply struct {
		Status
		Restart bool `json:"restart"`
	}

	InterruptReply struct{ Status }

	// UsageReply has the use of memory, in bytes, and of processors, in percent. KernelCPU is relative to one
	// processor, and HostCPUPercent to all processors.
	UsageReply struct {
		Status
		Hostname          string        `json:"hostname"`
		PID               int           `json:"pid"`
		CPUCount          int           `json:"cpu_count"`
		KernelCPU         float64       `json:"kernel_cpu"`
		KernelMemory      int64         `json:"kernel_memory"`
		HostCPUPercent    float64       `json:"host_cpu_percent"`
		HostVirtualMemory VirtualMemory `json:"host_virtual_memory"`
	}

	// VirtualMemory is the machine's memory, in bytes.
	VirtualMemory struct {
		Total     int64   `json:"total"`
		Available int64   `json:"available"`
		Percent   float64 `json:"percent"`
		Used      int64   `json:"used"`
		Free      int64   `json:"free"`
		Active    int64   `json:"active"`
		Inactive  int64   `json:"inactive"`
		Buffers   int64   `json:"buffers"`
		Cached    int64   `json:"cached"`
		Shared    int64   `json:"shared"`
		Slab      int64   `json:"slab"`
	}

	CreateSubshellReply struct {
		Status
		SubshellID string `json:"subshell_id"`
	}

	DeleteSubshellReply struct{ Status }

	ListSubshellReply struct {
		Status
		SubshellID []string `json:"subshell_id"`
	}

	// DebugReply contains a response of the Debug Adapter Protocol.
	DebugReply struct {
		Type       string          `json:"type"`
		RequestSeq int             `json:"request_seq"`
		Success    bool            `json:"success"`
		Command    string          `json:"command"`
		Message    string          `json:"message,omitempty"`
		Body       json.RawMessage `json:"body,omitempty"`
	}

	InputRequest struct {
		Prompt   string `json:"prompt"`
		Password bool   `json:"password"`
	}
)

// A HistoryItem is [session, line, input] or, if the request asks for output, [session, line, [input, output]]. The
// output is null if the cell had none.
type HistoryItem struct {
	Session    int
	Line       int
	Input      string
	Output     string
	WithOutput bool
}

func (h HistoryItem) MarshalJSON() ([]byte, error) {
	if !h.WithOutput {
		return marshal([]any{h.Session, h.Line, h.Input})
	}
	var out any
	if h.Output != "" {
		out = h.Output
	}
	return marshal([]any{h.Session, h.Line, []any{h.Input, out}})
}

func (f Failure) MsgType() string           { return f.ReplyType }
func (KernelInfoReply) MsgType() string     { return "kernel_info_reply" }
func (ExecuteReply) MsgType() string        { return "execute_reply" }
func (ExecuteFailure) MsgType() string      { return "execute_reply" }
func (ExecuteAborted) MsgType() string      { return "execute_reply" }
func (CompleteReply) MsgType() string       { return "complete_reply" }
func (InspectReply) MsgType() string        { return "inspect_reply" }
func (IsCompleteReply) MsgType() string     { return "is_complete_reply" }
func (HistoryReply) MsgType() string        { return "history_reply" }
func (CommInfoReply) MsgType() string       { return "comm_info_reply" }
func (ShutdownReply) MsgType() string       { return "shutdown_reply" }
func (InterruptReply) MsgType() string      { return "interrupt_reply" }
func (UsageReply) MsgType() string          { return "usage_reply" }
func (CreateSubshellReply) MsgType() string { return "create_subshell_reply" }
func (DeleteSubshellReply) MsgType() string { return "delete_subshell_reply" }
func (ListSubshellReply) MsgType() string   { return "list_subshell_reply" }
func (DebugReply) MsgType() string          { return "debug_reply" }
func (InputRequest) MsgType() string        { return "input_request" }
