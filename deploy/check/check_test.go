// Package check reads the files in deploy/ with the libraries of the tools that use them. It is a separate module, so that
// programs that use the project do not depend on these libraries.
package check

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/nats-io/nats-server/v2/server"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func content(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDockerfile(t *testing.T) {
	tree, err := parser.Parse(bytes.NewReader(content(t, "Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Warnings) > 0 {
		t.Errorf("warnings: %v", tree.Warnings)
	}
	var lint []string
	stages, _, err := instructions.Parse(tree.AST, linter.New(&linter.Config{
		Warn: func(rule, _, _, message string, _ []parser.Range) { lint = append(lint, rule+": "+message) },
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(lint) > 0 {
		t.Errorf("the linter says %q", lint)
	}
	if len(stages) != 1 || stages[0].BaseName != "scratch" {
		t.Errorf("the stages are %v, want one from scratch", stages)
	}
}

func TestCompose(t *testing.T) {
	load := func(env ...string) (map[string]int, error) {
		o, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithEnv(env), cli.WithName("check"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := o.LoadProject(context.Background())
		if err != nil {
			return nil, err
		}
		services := map[string]int{}
		for name, s := range p.Services {
			services[name] = len(s.Environment)
		}
		return services, nil
	}
	got, err := load("NATS_TOKEN=secret")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["nats"] != 1 || got["worker"] != 1 {
		t.Errorf("the services with the number of their variables are %v", got)
	}
	if _, err := load(); err == nil || !strings.Contains(err.Error(), "NATS_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
}

func TestServerConfiguration(t *testing.T) {
	t.Setenv("NATS_TOKEN", "secret")
	o, err := server.ProcessConfigFile("../nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	if o.Authorization != "secret" || !o.JetStream || o.StoreDir != "/data" || o.Port != 4222 {
		t.Errorf("token %q, JetStream %v in %q, port %d", o.Authorization, o.JetStream, o.StoreDir, o.Port)
	}
}

func TestKubernetes(t *testing.T) {
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict(content(t, "kubernetes/worker.yaml"), &d); err != nil {
		t.Fatal(err)
	}
	for k, v := range d.Spec.Selector.MatchLabels {
		if d.Spec.Template.Labels[k] != v {
			t.Errorf("the pods have not the label %s=%s that the deployment selects", k, v)
		}
	}
	var j batchv1.Job
	if err := yaml.UnmarshalStrict(content(t, "kubernetes/program.yaml"), &j); err != nil {
		t.Fatal(err)
	}
	for _, pod := range []corev1.PodSpec{d.Spec.Template.Spec, j.Spec.Template.Spec} {
		volumes := map[string]bool{}
		for _, v := range pod.Volumes {
			volumes[v.Name] = true
		}
		for _, c := range pod.Containers {
			if c.Resources.Limits.Memory().IsZero() || !*pod.SecurityContext.RunAsNonRoot || !*c.SecurityContext.ReadOnlyRootFilesystem {
				t.Errorf("container %s: no limit of memory, or too many rights", c.Name)
			}
			for _, m := range c.VolumeMounts {
				if !volumes[m.Name] {
					t.Errorf("container %s mounts %s, which is no volume of the pod", c.Name, m.Name)
				}
			}
		}
	}
}

// tool runs a program of the system. The project's CI installs it.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestService verifies the systemd unit in a folder that stands for the root folder and contains the program and
// the file with variables.
func TestService(t *testing.T) {
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"usr/local/bin/perijove-worker": 0o755, "etc/perijove-worker.env": 0o600} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	unit := strings.ReplaceAll(string(content(t, "perijove-worker.service")), "/usr/local/bin/", root+"/usr/local/bin/")
	path := filepath.Join(root, "perijove-worker.service")
	if err := os.WriteFile(path, []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "systemd-analyze", "verify", "--man=no", path); strings.Contains(out, "perijove") {
		t.Errorf("systemd-analyze says\n%s", out)
	}
}

func TestSlurmScript(t *testing.T) {
	tool(t, "shellcheck", "../slurm.sh")
	path := "PATH=" + os.Getenv("PATH")
	for want, env := range map[string][]string{
		"NATS_URL: set it to the address":     {path},
		"NATS_TOKEN: set it to the token":     {path, "NATS_URL=nats://localhost"},
		"there is no program /nowhere/worker": {path, "NATS_URL=nats://localhost", "NATS_TOKEN=secret", "WORKER=/nowhere/worker"},
	} {
		run := exec.Command("bash", "../slurm.sh")
		run.Env = env
		if out, err := run.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("got %v, %s; want %q", err, out, want)
		}
	}
}
