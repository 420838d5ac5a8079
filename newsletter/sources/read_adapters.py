"""The counters that can be asked, by their kind in the settings; see docs/read-counters.md."""

from collections.abc import Mapping

from newsletter.sources.koko import fetch_koko
from newsletter.sources.page_counter import fetch_page_counts
from newsletter.sources.poll import Adapter
from newsletter.sources.popular_posts import fetch_popular_posts
from newsletter.sources.read_counts import fetch_table

ADAPTERS: Mapping[str, Adapter] = {
    "csv": fetch_table,
    "wordpress-popular-posts": fetch_popular_posts,
    "koko-analytics": fetch_koko,
    "page": fetch_page_counts,
}
