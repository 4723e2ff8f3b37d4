package session

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A gonbPipe is what a worker's package gonbui, if it has one, reads and
// writes. The worker inherits the other ends; they are opened again by their
// names under /proc/self/fd, so there are no files to guard or to remove.
type gonbPipe struct {
	in     *stream // what gonbui writes
	back   *os.File
	dec    gonb.Decoder
	enc    *gonb.Encoder
	shown  map[string]bool // display identifiers in use
	prompt *gonb.Input     // for the next read of standard input
}

// Where the worker finds its ends, beside the control socket.
var gonbEnv = []string{gonb.EnvPipe + "=/proc/self/fd/4", gonb.EnvPipeBack + "=/proc/self/fd/5"}

// newGonbPipe also returns the worker's ends, in the order that gonbEnv names.
func newGonbPipe() (g *gonbPipe, theirs []*os.File, err error) {
	g = &gonbPipe{shown: map[string]bool{}}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	backR, backW, err := os.Pipe()
	if err != nil {
		r.Close()
		w.Close()
		return nil, nil, err
	}
	g.back, g.enc = backW, gonb.NewEncoder(hurried{backW})
	if g.in, err = newStream("gonbui", r); err != nil {
		for _, f := range []*os.File{w, backR, backW} {
			f.Close()
		}
		return nil, nil, err
	}
	return g, []*os.File{w, backR}, nil
}

func (g *gonbPipe) close() {
	g.dec.Close()
	g.in.f.Close()
	g.back.Close()
}

// hurried is a pipe whose reader may be gone or stuck: a write waits for a moment only.
type hurried struct{ *os.File }

func (f hurried) Write(b []byte) (int, error) {
	if err := f.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

// gonbui passes on what the worker's package gonbui has written.
func (p *process) gonbui(b []byte) {
	messages, err := p.gonb.dec.Write(b)
	if err != nil {
		p.current().Stream(output.Stderr, strings.ReplaceAll(err.Error(), "\n", "; ")+"\n")
	}
	for _, m := range messages {
		switch m := m.(type) {
		case gonb.Display:
			p.current().Display(output.Display{
				Data: m.Data, Metadata: m.Metadata, DisplayID: m.DisplayID, Update: p.gonb.shown[m.DisplayID],
			})
			if m.DisplayID != "" {
				p.gonb.shown[m.DisplayID] = true
			}
		case gonb.Input:
			p.gonb.prompt = &m
		case gonb.Sync:
			p.gonbSend(m.Ack())
		case gonb.Value, gonb.Subscription:
			p.toPage(m)
		}
	}
}

func (p *process) gonbSend(v gonb.Value) {
	if err := p.gonb.enc.Send(v); err != nil {
		p.log.Warn("a value did not reach package gonbui", "address", v.Address, "error", err)
	}
}

// gonbFolders are the folders that GoNB's notebooks name in shell commands and
// in Go.
func (s *Session) gonbFolders() []string {
	tmp := s.modules.Dir()
	if tmp == "" {
		tmp = s.scratch
	}
	return []string{gonb.EnvDir + "=" + s.dir(), gonb.EnvTmpDir + "=" + tmp}
}

// tellFolders sets the worker's variables for them.
func (s *Session) tellFolders(ctx context.Context) error {
	folders := s.gonbFolders()
	if slices.Equal(folders, s.toldFolders) {
		return nil
	}
	s.toldFolders = folders
	s.setup.Env = append(s.setup.Env, folders...)
	return s.applySetup(ctx, control.Setup{Env: folders})
}
