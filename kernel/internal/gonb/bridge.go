package gonb

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A Bridge connects package gonbui in a worker process with the front end: it shows displays of gonbui, asks for input,
// and passes values between gonbui and the page. Its methods may be called concurrently, except for Receive, TakePrompt
// and Close.
type Bridge struct {
	host    Host
	log     *slog.Logger
	decoder Decoder
	encoder *Encoder
	shown   map[string]bool // display identifiers in use
	prompt  *Input          // prompt for the next read of standard input
	page    page
}

// NewBridge returns a Bridge that answers gonbui by writing to reply. kernelID is Jupyter's identifier of the kernel,
// with which pages connect to it; it is "" if there are no pages.
func NewBridge(host Host, reply io.Writer, kernelID string, log *slog.Logger) *Bridge {
	b := &Bridge{host: host, log: log, encoder: NewEncoder(reply), shown: map[string]bool{}}
	b.page = page{host: host, send: b.send, kernel: kernelID, wanted: map[string]bool{}}
	return b
}

// WorkerEnv returns the environment variables with the paths of gonbui's pipes. The paths
// are under /proc/self/fd and name the file descriptors that gonbui writes and reads, so
// there are no files to protect or to remove.
func WorkerEnv(writeFD, readFD int) []string {
	return []string{
		fmt.Sprintf("%s=/proc/self/fd/%d", EnvPipe, writeFD),
		fmt.Sprintf("%s=/proc/self/fd/%d", EnvPipeBack, readFD),
	}
}

// Receive handles bytes that gonbui has written.
func (b *Bridge) Receive(p []byte) {
	messages, err := b.decoder.Write(p)
	if err != nil {
		b.host.Sink().Stream(output.Stderr, strings.ReplaceAll(err.Error(), "\n", "; ")+"\n")
	}
	for _, m := range messages {
		switch m := m.(type) {
		case Display:
			b.host.Sink().Display(output.Display{
				Data: m.Data, Metadata: m.Metadata, DisplayID: m.DisplayID, Update: b.shown[m.DisplayID],
			})
			if m.DisplayID != "" {
				b.shown[m.DisplayID] = true
			}
		case Input:
			b.prompt = &m
		case Sync:
			b.send(m.Ack())
		case Value, Subscription:
			b.page.take(m)
		}
	}
}

// TakePrompt returns the prompt that gonbui has set for the next line of standard input,
// if any, and removes it.
func (b *Bridge) TakePrompt() (prompt string, password, ok bool) {
	in := b.prompt
	if in == nil {
		return "", false, false
	}
	b.prompt = nil
	return in.Prompt, in.Password, true
}

// ConnectPage connects to the page for a cell that is not yet running, by a script that
// it displays in s.
func (b *Bridge) ConnectPage(s output.Sink) { b.page.connect(s) }

// TakeComm handles a message of the front end if it belongs to the page's comm, and
// reports whether it does.
func (b *Bridge) TakeComm(m output.Comm) (taken bool) { return b.page.takeComm(m) }

// Close releases the Bridge's resources.
func (b *Bridge) Close() {
	b.decoder.Close()
	b.page.close()
}

// send writes a value to gonbui.
func (b *Bridge) send(v Value) {
	if err := b.encoder.Send(v); err != nil {
		b.log.Warn("a value did not reach package gonbui", "address", v.Address, "error", err)
	}
}
