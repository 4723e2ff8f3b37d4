package session

import (
	"errors"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

func (r *run) getDirective(d cell.DirectiveLine) error {
	paths, err := splitWords(d.Args)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return errors.New("the path of a package is missing: write %get PATH or %get PATH@VERSION")
	}
	said, err := r.get(paths)
	if said != "" {
		r.sink.Stream(output.Stdout, said)
	}
	return err
}

// get adds modules, and returns the output of go get.
func (r *run) get(paths []string) (said string, err error) {
	line := r.progress()
	defer line.end()
	line.set("getting " + strings.Join(paths, ", "))
	return r.session.modules.Get(r.ctx, paths)
}

// autogetDirective sets whether missing packages are downloaded without %get.
func (r *run) autogetDirective(d cell.DirectiveLine) error {
	get := d.Name == "%autoget"
	r.session.autoget = &get
	return nil
}

// ensureImports downloads missing packages that a cell imports, if %autoget is on, or
// by default in a notebook for GoNB.
func (r *run) ensureImports(c *cell.Cell) *output.Error {
	if r.session.autoget == nil && !r.session.isGoNB || r.session.autoget != nil && !*r.session.autoget {
		return nil
	}
	captured := r.sink
	defer func() { r.sink = captured }()
	if c, ok := captured.(*sinks.Tee); ok { // the cell's file of captured output does not get the messages of the download
		r.sink = c.Unwrap()
	}
	missing := slices.DeleteFunc(r.missingPackages(c), func(path string) bool {
		if !r.session.modules.Complete(r.ctx, path) {
			return false
		}
		r.tell("go.mod has been completed for " + path)
		return true
	})
	if len(missing) == 0 {
		return nil
	}
	said, err := r.get(missing)
	if err != nil {
		return traceback.New("ImportError", err.Error())
	}
	r.tell("%get " + strings.Join(missing, " ") + "\n" + strings.TrimSuffix(said, "\n"))
	return nil
}

// missingPackages lists the import paths of packages that a cell needs and that no module
// provides.
func (r *run) missingPackages(c *cell.Cell) []string {
	paths := packagesByName(c)
	for _, im := range c.Imports {
		if modules.HasDomain(im.Path) && !slices.Contains(paths, im.Path) {
			paths = append(paths, im.Path)
		}
	}
	return slices.DeleteFunc(paths, func(path string) bool {
		_, err := r.session.modules.Archive(path)
		return err == nil
	})
}

// packagesByName returns the import paths of packages outside the standard library that undeclared names in a cell may
// refer to. GoNB downloads these packages, too.
func packagesByName(c *cell.Cell) []string {
	var paths []string
	look := func(s *cell.Source) {
		for _, ref := range s.Refs {
			if path := exportdata.BeyondStd(ref.Name); path != "" && ref.Sel != "" && !ref.Top && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	for _, d := range c.Decls {
		look(&d.Source)
	}
	for _, st := range c.Stmts {
		look(&st.Source)
	}
	return paths
}

const searching = "looking for the packages that the cell imports"

// prepareImports compiles the packages that a cell imports, and shows the progress.
func (r *run) prepareImports(c *cell.Cell) {
	if len(c.Imports) == 0 {
		return
	}
	var paths []string
	for _, im := range c.Imports {
		if im.Path != "C" {
			paths = append(paths, im.Path)
		}
	}
	line := r.progress()
	line.set(searching)
	r.session.modules.Prepare(r.ctx, paths, line.compiling)
	line.end()
	for _, text := range r.session.modules.Notices() {
		r.tell(text)
	}
}

// ensureCgoWorker starts a worker process that contains the C code of the cell's imports, if the present one does not.
// C code cannot be loaded into a running process.
func (r *run) ensureCgoWorker(c *cell.Cell) *output.Error {
	var paths []string
	for _, im := range c.Imports {
		paths = append(paths, im.Path)
	}
	if len(paths) == 0 {
		return nil
	}
	line := r.progress()
	defer line.end()
	line.set(searching)
	set, code, err := r.session.modules.CgoPackages(r.ctx, paths)
	switch {
	case r.ctx.Err() != nil:
		return traceback.New("Interrupted", "interrupted while looking for packages")
	case err != nil:
		return traceback.New("ImageError", err.Error())
	case set == nil:
		return nil
	}
	names := strings.Join(code, ", ")
	waits := "building a program that runs the cells and contains the C code of " + names + "; this may take minutes, and later notebooks use the program too"
	line.set(waits)
	img, err := r.session.cfg.Image.With(r.ctx, set, func(step string) {
		r.session.cfg.Log.Info(step)
		line.set(waits + " (" + step + ")")
	})
	line.end()
	switch {
	case r.ctx.Err() != nil:
		return traceback.New("Interrupted", "interrupted while building a program with the C code of "+names)
	case err != nil:
		return traceback.New("ImageError", "package "+names+" has C code: "+err.Error())
	}
	r.replaceImage(img, "started a new process for the cells, which contains the C code of "+names, func() { r.session.modules.SetImage(img, set) })
	return nil
}

// replaceImage ends the worker process and uses another image from now on. It shows a notice with the variables that
// are lost. change tells package modules about the image.
func (r *run) replaceImage(img *image.Image, notice string, change func()) {
	w := r.session.dropWorker()
	r.session.mu.Lock()
	r.session.cfg.Image = img
	r.session.mu.Unlock()
	if w != nil {
		w.Kill()
	}
	change()
	program := r.session.program.Load()
	program.Reimport()
	hadVariables := len(program.Variables()) > 0
	lines := append([]string{notice}, r.session.discardWorker(w)...)
	if hadVariables {
		r.sink.Stream(output.Stderr, strings.Join(lines, "; ")+"\n")
	} else {
		r.tell(lines[0])
	}
}
