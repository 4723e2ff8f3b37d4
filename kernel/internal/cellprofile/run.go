package cellprofile

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/traceback"
	"github.com/perijove/perijove/lib/execprofile"
)

// A Run is the profile of one execution of a cell.
type Run struct {
	kind   Kind
	folder string // of the files of the profiler
	save   string // the file of -o, or ""
}

// NewRun returns the Run for the arguments of %%prof. File names are relative to dir; temporary files go to scratch.
func NewRun(args []string, dir, scratch string) (*Run, error) {
	p := &Run{}
	if n := len(args); n > 1 && args[n-2] == "-o" {
		p.save, args = args[n-1], args[:n-2]
		if !filepath.IsAbs(p.save) {
			p.save = filepath.Join(dir, p.save)
		}
	}
	if n := len(args); n > 0 && args[n-1] == "-o" {
		return nil, errors.New("the name of the file after -o is missing: write %%prof KIND -o FILE")
	}
	if len(args) > 1 {
		return nil, errors.New("there are too many arguments: write %%prof KIND, or %%prof KIND -o FILE")
	}
	var err error
	if p.kind, err = KindOf(strings.Join(args, "")); err != nil {
		return nil, err
	}
	p.folder, err = os.MkdirTemp(scratch, "prof-")
	return p, err
}

// Begin starts the profiler. run is a function that runs code in the worker process.
func (p *Run) Begin(run func(code string) *output.Error) *output.Error {
	err := run(fmt.Sprintf(startCode, p.folder, p.kind.Name))
	if err != nil {
		os.RemoveAll(p.folder)
	}
	return err
}

// End stops the profiler and shows the profile of a cell, even if the cell has failed while it ran. ran is the number
// of the cell. source returns the text of a cell.
func (p *Run) End(run func(code string) *output.Error, sink output.Sink, failed *output.Error, ran int, source func(cell int) (string, bool)) {
	defer os.RemoveAll(p.folder)
	if failed != nil && failed.Name == traceback.WorkerDied {
		sink.Stream(output.Stderr, "there is no profile: the process that runs the cells ended before it wrote one\n")
		return
	}
	err := run(stopCode)
	switch {
	case failed != nil && (failed.Name == "CompileError" || failed.Name == "LinkError"): // the cell has not run
	case err != nil:
		sink.Stream(output.Stderr, "there is no profile: "+err.Value+"\n")
	default:
		if err := p.show(sink, ran, source); err != nil {
			sink.Stream(output.Stderr, "there is no profile: "+err.Error()+"\n")
		}
	}
}

// show shows the profile and writes the file of -o.
func (p *Run) show(sink output.Sink, ran int, source func(cell int) (string, bool)) error {
	recording, err := execprofile.Read(p.folder)
	if err != nil {
		return err
	}
	profile, err := New(p.kind, recording.Profile, recording.Processes)
	if err != nil {
		return err
	}
	if profile.Total > 0 {
		sink.Display(display(profile.Flame()))
	}
	text, page := profile.Tables(ran, func(n, line int) string {
		text, _ := source(n)
		return cell.Line(text, line)
	})
	sink.Display(output.Display{Data: output.Bundle{"text/plain": text, "text/html": page}})
	if p.save == "" {
		return nil
	}
	if err := profile.Save(p.save); err != nil {
		sink.Stream(output.Stderr, "the profile cannot be written to the file: "+err.Error()+"\n")
	}
	return nil
}

// display returns a flame graph as HTML, since JupyterLab shows no hover text of an image, and as pictures.
func display(f *Flame) output.Display {
	d := output.Display{Data: output.Bundle{"image/svg+xml": f.SVG(), "text/plain": "(a flame graph)"}}
	if picture := f.PNG(); picture != nil { // else the other forms suffice
		d.Data["text/html"] = f.html(picture)
		d.Data["image/png"] = base64.StdEncoding.EncodeToString(picture)
		d.Metadata = map[string]any{"image/png": map[string]any{"width": int(width), "height": int(f.height)}}
	}
	return d
}
