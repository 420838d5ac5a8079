<?php
// Installs WordPress and fills it from a plan: JSON on standard input, JSON out
// (post slug => number and link). Runs once, in the site's folder.

// These two are pluggable: no first post, no mail to an administrator.
function wp_install_defaults($user) {}
function wp_new_blog_notification(...$ignored) {}

define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = parse_url(getenv('TEST_SITE_URL'), PHP_URL_HOST)
    . ':' . parse_url(getenv('TEST_SITE_URL'), PHP_URL_PORT);
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
require getcwd() . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/image.php';

function must($result) {
    if (is_wp_error($result)) {
        throw new RuntimeException($result->get_error_message());
    }
    return $result;
}

function install_site(array $plan): void {
    // With the structure set beforehand the installer asks nothing of its own address.
    $structure = '/%year%/%monthnum%/%postname%/';
    add_filter('pre_option_permalink_structure', fn() => $structure);
    wp_install($plan['name'], 'admin', 'desk@paper.example', true, '', 'admin');
    remove_all_filters('pre_option_permalink_structure');
    update_option('blogdescription', $plan['description']);
    update_option('timezone_string', $plan['timezone']);
    update_option('permalink_structure', $structure);
    update_option('default_ping_status', 'closed');
    update_option('blog_public', 1);
    $GLOBALS['wp_rewrite']->init();
    flush_rewrite_rules(false);
    wp_set_current_user(1); // an administrator's HTML is stored as it is
}

function add_authors(array $authors): array {
    $numbers = [];
    foreach ($authors as $author) {
        $numbers[$author['name']] = must(wp_insert_user([
            'user_login' => $author['login'], 'user_nicename' => $author['login'],
            'user_email' => $author['login'] . '@paper.example',
            'display_name' => $author['name'], 'user_pass' => wp_generate_password(),
            'role' => 'author',
        ]));
    }
    return $numbers;
}

function add_categories(array $names): array {
    $numbers = [];
    foreach ($names as $name) {
        $numbers[$name] = must(wp_insert_term(wp_slash($name), 'category'))['term_id'];
    }
    return $numbers;
}

function add_picture(string $file, string $alt, string $caption, int $post, string $month): int {
    $bytes = file_get_contents($file);
    $upload = wp_upload_bits(basename($file), null, $bytes, $month);
    if ($upload['error']) {
        throw new RuntimeException($upload['error']);
    }
    $number = must(wp_insert_attachment(wp_slash([
        'post_title' => pathinfo($file, PATHINFO_FILENAME),
        'post_excerpt' => $caption,
        'post_mime_type' => wp_check_filetype($upload['file'])['type'],
    ]), $upload['file'], $post, true));
    update_post_meta($number, '_wp_attachment_image_alt', wp_slash($alt));
    wp_update_attachment_metadata(
        $number,
        wp_generate_attachment_metadata($number, $upload['file'])
    );
    return $number;
}

function add_post(array $post, array $authors, array $categories): int {
    $terms = array_map(fn($name) => $categories[$name], $post['categories']);
    $hidden_later = $post['status'] === 'trash';
    $number = must(wp_insert_post(wp_slash([
        'post_title' => $post['title'], 'post_name' => $post['slug'],
        'post_content' => $post['body'], 'post_author' => $authors[$post['author']],
        'post_status' => $hidden_later ? 'publish' : $post['status'],
        'post_password' => $post['password'],
        'post_date_gmt' => $post['published_gmt'],
        'post_date' => get_date_from_gmt($post['published_gmt']),
        'post_category' => $terms, 'tags_input' => $post['tags'],
    ]), true));
    foreach ($post['comments'] as $text) {
        wp_insert_comment(wp_slash([
            'comment_post_ID' => $number, 'comment_content' => $text,
            'comment_author' => 'A reader', 'comment_approved' => 1,
            'comment_date_gmt' => $post['published_gmt'],
            'comment_date' => get_date_from_gmt($post['published_gmt']),
        ]));
    }
    if ($post['picture_file'] !== '') {
        $month = substr($post['published_gmt'], 0, 4) . '/' . substr($post['published_gmt'], 5, 2);
        set_post_thumbnail($number, add_picture(
            $post['picture_file'], $post['picture_alt'], $post['picture_caption'], $number, $month
        ));
    }
    if ($post['sticky']) {
        stick_post($number);
    }
    if ($hidden_later) {
        wp_trash_post($number);
    }
    return $number;
}

$plan = json_decode(stream_get_contents(STDIN), true, 16, JSON_THROW_ON_ERROR);
install_site($plan);
$authors = add_authors($plan['authors']);
$categories = add_categories($plan['categories']);
$icon = add_picture($plan['icon_file'], $plan['name'], '', 0, gmdate('Y/m'));
update_option('site_icon', $icon);
update_option('site_logo', $icon);
$stored = [];
foreach ($plan['posts'] as $post) {
    $number = add_post($post, $authors, $categories);
    $stored[$post['slug']] = ['number' => $number, 'link' => get_permalink($number)];
}
echo json_encode($stored, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
