package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/perijove/perijove/kernel/internal/kernelspec"
	"github.com/spf13/cobra"
)

func newInstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "install",
		Short: "Build the worker image and make the kernel known to Jupyter",
		Long: `Install builds the worker image, the program that cells are linked into, with the
go command on your PATH (or $PERIJOVE_GO), and keeps it in the cache folder
($PERIJOVE_CACHE, or ~/.cache/perijove). Then it writes the kernelspec "` + kernelspec.Name + `"
to the user's Jupyter data folder: $JUPYTER_DATA_DIR, or ~/.local/share/jupyter.
It names this program and the go command by their absolute paths: run install
again after either has moved.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			goCommand, err := findGo()
			if err != nil {
				return err
			}
			img, err := openImage(cmd.Context(), goCommand, cmd.ErrOrStderr(), true)
			if err != nil {
				return err
			}
			if img.Unfit != "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "each cell will run as a separate program, without the variables of earlier cells: %s\n", img.Unfit)
			}
			dir, err := install()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "installed the kernelspec in %s\nopen JupyterLab and choose %q\n", dir, kernelspec.DisplayName)
			return nil
		},
	}
}

func install() (dir string, err error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return "", err
	}
	goCommand, err := findGo()
	if err != nil {
		return "", err
	}
	spec, err := kernelspec.New(program, goCommand)
	if err != nil {
		return "", err
	}
	data, err := kernelspec.DataDir(os.Getenv)
	if err != nil {
		return "", err
	}
	return kernelspec.Install(data, spec)
}

func newUninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall",
		Short: "Remove the kernel from Jupyter",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := kernelspec.DataDir(os.Getenv)
			if err != nil {
				return err
			}
			found, err := kernelspec.Uninstall(data)
			if err != nil {
				return err
			}
			if !found {
				fmt.Fprintf(cmd.OutOrStdout(), "there was no kernelspec in %s\n", kernelspec.Dir(data))
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed %s\n", kernelspec.Dir(data))
			return nil
		},
	}
}
