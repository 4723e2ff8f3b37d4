package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/perijove/perijove/kernel/internal/kernelspec"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// A sessionOpener starts a session in a working directory.
type sessionOpener func(ctx context.Context, dir string) (output.Session, error)

func newRunCommand() *cobra.Command { return runCommand(openSession) }

type runFlags struct {
	out, html   string
	parameters  []string
	allowErrors bool
	strict      bool
	timeout     time.Duration
}

func runCommand(open sessionOpener) *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run NOTEBOOK",
		Short: "Execute a notebook without Jupyter",
		Long: `Execute the code cells of a notebook in order, in the notebook's folder, with
the same engine as in Jupyter. Without -o and --html nothing is written: the
exit status tells whether all cells succeeded.

A parameter replaces a variable that the cell tagged "parameters" declares. Its
value is read as that variable's type: a number, true or false, text, a duration
such as 1.5s, or several with commas between them.

Cells tagged skip-execution are left out; those tagged raises-exception may fail.`,
		Example: `  perijove run analysis.ipynb -o done.ipynb
  perijove run notebooks/01-shared-x.ipynb -p workers=1,2,4 --html out.html`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNotebook,
		SilenceUsage:      true,
		SilenceErrors:     false,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // after the first interrupt, restore the default: a second one ends the program
			return flags.run(ctx, open, args[0], cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.out, "output", "o", "", "write the executed notebook to `FILE`, which may be NOTEBOOK itself")
	f.StringVar(&flags.html, "html", "", "write a self-contained HTML page to `FILE`")
	f.StringArrayVarP(&flags.parameters, "parameter", "p", nil, "set a parameter, as `NAME=VALUE`; may be repeated")
	f.BoolVar(&flags.allowErrors, "allow-errors", false, "continue after a cell that fails, and exit with 0")
	f.BoolVar(&flags.strict, "strict", false, "a cell fails if the value it shows is, or includes, an error")
	f.DurationVar(&flags.timeout, "timeout", 0, "interrupt a cell that runs longer than this, such as 90s (default: none)")
	complete := func(name string, f cobra.CompletionFunc) {
		if err := cmd.RegisterFlagCompletionFunc(name, f); err != nil {
			panic(err) // only if the flag is not declared
		}
	}
	complete("parameter", completeParameter)
	complete("timeout", cobra.NoFileCompletions)
	return cmd
}

func (f *runFlags) run(ctx context.Context, open sessionOpener, path string, log io.Writer) error {
	if f.timeout < 0 {
		return fmt.Errorf("the option --timeout is %v, but must not be negative", f.timeout)
	}
	nb, err := f.read(path)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	session, err := open(ctx, dir)
	if err != nil {
		return fmt.Errorf("cannot start a session for the notebook's cells: %w", err)
	}
	runErr := f.execute(ctx, session, nb, log)
	return errors.Join(runErr, session.Close(), f.write(ctx, nb, path, dir, log))
}

// recordKernel writes the same entries to the notebook's metadata as JupyterLab does when this kernel is ready, so that
// a front end that opens the notebook does not change them.
func recordKernel(ctx context.Context, nb *notebook.Notebook) error {
	_, version, err := toolchain(context.WithoutCancel(ctx)) // also after an interrupt
	if err != nil {
		return err
	}
	return nb.SetKernel(kernelspec.Own(), wire.GoLanguage(version))
}

// read reads the notebook and sets its parameters. It also checks that the results can be
// written, before a long run.
func (f *runFlags) read(path string) (*notebook.Notebook, error) {
	nb, err := notebook.Read(path)
	if err != nil {
		return nil, err
	}
	if language := nb.Language(); language != "" && language != "go" {
		return nil, fmt.Errorf("cannot run %s: its cells are in %s, not in Go", path, language)
	}
	for _, file := range []string{f.out, f.html} {
		if file == "" {
			continue
		}
		if err := notebook.CheckWritable(file); err != nil {
			return nil, err
		}
	}
	return nb, nb.SetParameters(f.parameters)
}

func (f *runFlags) execute(ctx context.Context, session output.Session, nb *notebook.Notebook, log io.Writer) error {
	err := nb.Run(ctx, session, notebook.Options{
		AllowErrors: f.allowErrors,
		Strict:      f.strict,
		CellTimeout: f.timeout,
		Progress:    log,
	})
	var failure *output.Error
	if errors.As(err, &failure) && len(failure.Traceback) > 0 {
		fmt.Fprintln(log, strings.Join(failure.Traceback, "\n"))
	}
	return err
}

// write writes the results, also those of a failed run.
func (f *runFlags) write(ctx context.Context, nb *notebook.Notebook, path, dir string, log io.Writer) error {
	var errs []error
	wrote := func(file string, err error) {
		if err == nil {
			fmt.Fprintln(log, "wrote", file)
		}
		errs = append(errs, err)
	}
	if f.out != "" {
		errs = append(errs, recordKernel(ctx, nb))
		wrote(f.out, nb.Write(f.out))
	}
	if f.html != "" {
		title := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		page, err := nb.HTML(notebook.HTMLOptions{Title: title, Dir: dir})
		if err == nil {
			err = notebook.WriteFile(f.html, page)
		}
		wrote(f.html, err)
	}
	return errors.Join(errs...)
}
