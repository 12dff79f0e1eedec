import pulumi
from pulumi_image_signing_guard import GuardMode, ImageSigningGuard

guard = ImageSigningGuard(
    "guard",
    mode=GuardMode.ENFORCE,
    images=[
        {
            "name": "modulo",
            "repositories": ["ghcr.io/ikey168/modulo-*"],
            "signers": [
                {
                    "github": {
                        "repository": "Ikey168/Modulo",
                        "workflow": "docker-build.yml",
                        "ref": "refs/heads/main",
                    }
                }
            ],
        }
    ],
    bypass={"groups": ["platform-oncall"], "max_hours": 4},
)

pulumi.export("policies", guard.policy_names)
pulumi.export("readiness", guard.readiness)
