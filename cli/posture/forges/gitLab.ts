import { askForge, type Forge, needed } from "./forge";

const WHERE = "a GitLab pipeline of a merge request";

/**
 * Where to write, from the variables of a merge request's pipeline. The job's own token can't write notes, so that another is
 * needed, in GITLAB_TOKEN.
 */
export function gitLab(env: NodeJS.ProcessEnv, author?: string): Forge {
  const api = needed(env, "CI_API_V4_URL", WHERE);
  const project = encodeURIComponent(needed(env, "CI_PROJECT_ID", WHERE));
  const request = encodeURIComponent(needed(env, "CI_MERGE_REQUEST_IID", WHERE));
  const notes = `${api}/projects/${project}/merge_requests/${request}/notes`;
  const to = {
    name: "GitLab",
    headers: { "private-token": needed(env, "GITLAB_TOKEN", WHERE) },
    permission: "GITLAB_TOKEN must be a project's access token of role Reporter with scope api",
  };
  const ownName = async () => ((await askForge(to, "GET", `${api}/user`)) as { username: string }).username;
  return {
    ...to,
    comments: notes,
    comment: (id) => `${notes}/${id}`,
    editMethod: "PUT",
    author: async () => author ?? ownName(),
  };
}
