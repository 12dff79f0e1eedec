package main

import (
	isg "example.com/pulumi-image-signing-guard/sdk/go/imagesigningguard"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		guard, err := isg.NewImageSigningGuard(ctx, "guard", &isg.ImageSigningGuardArgs{
			Mode: ref(isg.GuardModeEnforce),
			Images: []isg.ImageRuleArgsArgs{{
				Name:         "modulo",
				Repositories: []string{"ghcr.io/ikey168/modulo-*"},
				Signers: []isg.SignerArgsArgs{{
					Github: &isg.GithubSignerArgsArgs{
						Repository: "Ikey168/Modulo",
						Workflow:   "docker-build.yml",
						Ref:        "refs/heads/main",
					},
				}},
			}},
			Bypass: &isg.BypassArgsArgs{
				Groups:   []string{"platform-oncall"},
				MaxHours: ref(4.0),
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("policies", guard.PolicyNames)
		ctx.Export("readiness", guard.Readiness)
		return nil
	})
}

func ref[T any](value T) *T { return &value }
