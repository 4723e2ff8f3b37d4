package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/perijove/perijove/kernel/internal/notebook"
)

func newParametersCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "parameters NOTEBOOK",
		Short: "List the parameters of a notebook",
		Long: `List the variables that the notebook's cell tagged "parameters" declares, with their
types, default values and comments. "perijove run -p" and papermill set them. If
NOTEBOOK is -, the notebook is read from standard input.`,
		Example:           `  perijove parameters notebooks/01-shared-x.ipynb`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNotebook,
		SilenceUsage:      true,
		RunE: func(cmd *cobra.Command, args []string) error {
			parameters, err := readParameters(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(parameters)
			}
			return printParameters(cmd.OutOrStdout(), parameters)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON list of objects with name, type, kind, default and help")
	return cmd
}

// A listedParameter is a parameter as --json prints it. The names, except for kind, are
// papermill's.
type listedParameter struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Kind    string `json:"kind"`
	Default string `json:"default"`
	Help    string `json:"help"`
}

func readParameters(path string, stdin io.Reader) ([]listedParameter, error) {
	nb, err := readNotebook(path, stdin)
	if err != nil {
		return nil, err
	}
	found, err := nb.Parameters()
	if err != nil {
		return nil, fmt.Errorf("cannot read the parameters of %s: %w", path, err)
	}
	listed := []listedParameter{}
	for _, p := range found {
		listed = append(listed, listedParameter{p.Name, p.TypeString(), p.Kind(), p.Default, p.Comment})
	}
	return listed, nil
}

func readNotebook(path string, stdin io.Reader) (*notebook.Notebook, error) {
	if path != "-" {
		return notebook.Read(path)
	}
	data, err := io.ReadAll(stdin)
	if err != nil {
		return nil, err
	}
	return notebook.Parse(data)
}

func printParameters(out io.Writer, parameters []listedParameter) error {
	if len(parameters) == 0 {
		_, err := fmt.Fprintln(out, `no parameters: no cell tagged "parameters" declares variables`)
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range parameters {
		line := p.Name + "\t" + cmp.Or(p.Type, "unknown type") + "\t" + p.Default
		if p.Help != "" {
			line += "\t" + p.Help
		}
		fmt.Fprintln(table, line)
	}
	return table.Flush()
}
