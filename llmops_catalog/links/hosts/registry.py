"""All adapters, set up from the environment."""

from __future__ import annotations

from llmops_catalog.links.hosts import HostAdapter
from llmops_catalog.links.hosts.arxiv import Arxiv
from llmops_catalog.links.hosts.colab import Colab
from llmops_catalog.links.hosts.doi import Doi
from llmops_catalog.links.hosts.github import GitHub
from llmops_catalog.links.hosts.gitlab import GitLab
from llmops_catalog.links.hosts.google import Google
from llmops_catalog.links.hosts.huggingface import HuggingFace
from llmops_catalog.links.hosts.kaggle import Kaggle
from llmops_catalog.links.hosts.wikipedia import Wikipedia
from llmops_catalog.links.hosts.youtube import YouTube
from llmops_catalog.links.hub_client import HubClient, HubEndpoint


def adapters(hub: HubEndpoint, client: HubClient | None = None) -> tuple[HostAdapter, ...]:
    """One adapter for each site; the first that claims an address answers for it. `hub` and `client` are for Hugging Face's."""
    github = GitHub.from_environment()
    return (
        HuggingFace(hub, client),
        Colab(github),
        github,
        GitLab.from_environment(),
        YouTube(),
        Arxiv(),
        Doi(),
        Google(),
        Kaggle(),
        Wikipedia(),
    )
