package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export"
	"github.com/perijove/perijove/kernel/internal/export/translate"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/version"
)

type exportFlags struct {
	goDir, md, html string
	force           bool
}

func newExportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export NOTEBOOK",
		Short: "Write a notebook as a Go program, as Markdown or as an HTML page",
		Long: `Export writes a notebook in other forms. No cell is executed.

With --go it writes a Go module whose program prints what a run of the notebook
prints. Test functions of the notebook become a file for go test, and variables of
the cell tagged "parameters" become flags. If a part of a cell cannot do the
same in a program, export writes nothing, and the error names the line.

--md and --html write the text, the code and the stored outputs.`,
		Example: `  perijove export analysis.ipynb --go analysis
  perijove export analysis.ipynb --md analysis.md --html analysis.html`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNotebook,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return flags.run(ctx, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.goDir, "go", "", "write a Go module to the folder `DIR`")
	f.StringVar(&flags.md, "md", "", "write Markdown to `FILE`")
	f.StringVar(&flags.html, "html", "", "write a self-contained HTML page to `FILE`")
	f.BoolVar(&flags.force, "force", false, "keep directives that have no meaning in a program, such as !ls, as comments")
	if err := cmd.MarkFlagDirname("go"); err != nil {
		panic(err) // only if the flag is not declared
	}
	return cmd
}

func (f *exportFlags) run(ctx context.Context, path string) error {
	if f.goDir == "" && f.md == "" && f.html == "" {
		return errors.New("an option for the output is missing: write --go DIR, --md FILE or --html FILE")
	}
	nb, err := readGoNotebook(path)
	if err != nil {
		return err
	}
	for _, file := range []string{f.md, f.html} {
		if file != "" {
			if err := notebook.CheckWritable(file); err != nil {
				return err
			}
		}
	}
	var errs []error
	if f.goDir != "" {
		opt, err := exportOptions(ctx, path, f.force)
		if err == nil {
			opt.Target, err = filepath.Abs(f.goDir)
		}
		if err == nil {
			err = cellErrors(path, export.Program(ctx, nb, opt))
		}
		errs = append(errs, err)
	}
	if f.md != "" {
		errs = append(errs, notebook.WriteFile(f.md, []byte(nb.Markdown())))
	}
	if f.html != "" {
		title := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		page, err := nb.HTML(notebook.HTMLOptions{Title: title, Dir: filepath.Dir(path)})
		if err == nil {
			err = notebook.WriteFile(f.html, page)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// readGoNotebook reads a notebook, and refuses one in another language.
func readGoNotebook(path string) (*notebook.Notebook, error) {
	nb, err := notebook.Read(path)
	if err != nil {
		return nil, err
	}
	if language := nb.Language(); language != "" && language != "go" {
		return nil, fmt.Errorf("cannot export %s: its cells are in %s, not in Go", path, language)
	}
	return nb, nil
}

// exportOptions returns the options for a notebook file.
func exportOptions(ctx context.Context, path string, force bool) (export.Options, error) {
	opt := export.Options{
		Options: translate.Options{Name: moduleName(path), Source: filepath.Base(path), Force: force},
		Library: perijove.Source, Version: version.Version,
	}
	var err error
	if opt.Go, err = findGo(); err != nil {
		return opt, err
	}
	tc, err := image.ToolchainOf(ctx, opt.Go)
	if err != nil {
		return opt, err
	}
	opt.GOROOT, opt.Release = tc.Root, tc.Version
	opt.Notice = func(e *cell.Error) { fmt.Fprintln(os.Stderr, e) }
	opt.Dir, err = filepath.Abs(filepath.Dir(path))
	return opt, err
}

// exportCells writes the cells of a session as a Go module, for %save.
func exportCells(ctx context.Context, cells []output.HistoryEntry, dir, target string) error {
	nb, err := notebook.New(cells)
	if err != nil {
		return err
	}
	opt, err := exportOptions(ctx, filepath.Join(dir, filepath.Base(target)+".ipynb"), false)
	if err != nil {
		return err
	}
	opt.Target, opt.Source, opt.Stored, opt.Notice = target, "of a session", true, nil
	return export.Program(ctx, nb, opt)
}

// cellErrors adds to the errors of cells the source lines in which they occur.
func cellErrors(path string, err error) error {
	var cells cell.Errors
	if errors.As(err, &cells) {
		return fmt.Errorf("cannot export the notebook %s:\n%s", path, cells.Render())
	}
	return err
}

func newBuildCommand() *cobra.Command {
	var file string
	var force, worker bool
	var platform export.Platform
	cmd := &cobra.Command{
		Use:   "build NOTEBOOK -o PROGRAM",
		Short: "Compile a notebook to a program",
		Long: `Build exports a notebook as a Go program, as "perijove export --go" does, and compiles
it with the go command. With --os and --arch it compiles for another platform.

With --worker the program does not run the notebook. It joins a NATS server and runs
tasks that notebooks send there with package cluster. It runs a task only if the task's
function is the same in this notebook.`,
		Example: `  perijove build analysis.ipynb -o analysis
  perijove build analysis.ipynb -o analysis-arm64 --os linux --arch arm64
  perijove build analysis.ipynb --worker -o worker
  ./worker --nats nats://host:4222 --workers 8`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNotebook,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if file == "" {
				return errors.New("the name of the program is missing: write -o PROGRAM")
			}
			nb, err := readGoNotebook(args[0])
			if err != nil {
				return err
			}
			opt, err := exportOptions(ctx, args[0], force)
			if err != nil {
				return err
			}
			opt.Worker = worker
			return cellErrors(args[0], export.Build(ctx, nb, opt, file, platform))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&file, "output", "o", "", "write the program to `FILE`")
	f.StringVar(&platform.OS, "os", "", "the operating `SYSTEM`, as GOOS (default: this one)")
	f.StringVar(&platform.Arch, "arch", "", "the `PROCESSOR`, as GOARCH (default: this one)")
	f.BoolVar(&worker, "worker", false, "make a program that runs tasks of the notebook's functions for package cluster")
	f.BoolVar(&force, "force", false, "leave out directives that have no meaning in a program, such as !ls")
	return cmd
}

// moduleName returns the name of a notebook's program, from the name of its file.
func moduleName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	name = strings.ToLower(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, name))
	if name = strings.Trim(name, "-._"); name == "" {
		return "notebook"
	}
	if exportdata.IsStd(name) { // the name of a package of the standard library, which a module must not have
		return name + "-notebook"
	}
	return name
}
