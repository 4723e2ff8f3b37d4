package main

import "github.com/spf13/cobra"

func newDoctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check what the kernel needs, and say how to get what is missing",
		Long: `Doctor checks what the kernel needs: a supported Go, the kernelspec, Jupyter and
the extension for widgets, a folder for its cache, memory. Below each problem it
prints how to solve it. It exits with 1 if the kernel cannot run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !runChecks(cmd.Context(), newEnvironment(), cmd.OutOrStdout()) {
				return errAlreadyReported
			}
			return nil
		},
	}
}
